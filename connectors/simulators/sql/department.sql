-- A department's one-stop database of another vendor: UTF-8, other names, its own status words. No product's schema.
CREATE TABLE HoSo (
  HoSoId INTEGER PRIMARY KEY, SoHoSo VARCHAR(64) UNIQUE, MaDonBuuChinh VARCHAR(64), MaThuTuc VARCHAR(64), TenThuTuc VARCHAR(500),
  TenNguoiNop VARCHAR(200), LoaiNguoiNop VARCHAR(20), SoDinhDanh VARCHAR(20), DienThoai VARCHAR(30), NoiDung VARCHAR(2000),
  Kenh VARCHAR(10), NgayBuuDienNhan VARCHAR(30), NgayNop VARCHAR(30), NgayTiepNhan VARCHAR(30), NgayHenTra VARCHAR(30),
  NgayXong VARCHAR(30), NgayTra VARCHAR(30), TrangThai VARCHAR(30), HinhThucTra VARCHAR(10), DiaChiTra VARCHAR(500),
  NoiGui VARCHAR(35), DaXoa INTEGER DEFAULT 0, SuaLuc VARCHAR(30));
CREATE TABLE QuaTrinhXuLy (
  QuaTrinhId INTEGER PRIMARY KEY, SoHoSo VARCHAR(64), NguoiXuLy VARCHAR(200), PhongBan VARCHAR(200), LucXuLy VARCHAR(30),
  NoiDung VARCHAR(500), TrangThai VARCHAR(30), HanXuLy VARCHAR(30));
CREATE TABLE ThanhPhanHoSo (ThanhPhanId INTEGER PRIMARY KEY, SoHoSo VARCHAR(64), TenGiayTo VARCHAR(500), SoBanChinh INTEGER, TepDinhKem VARCHAR(2000));
CREATE TABLE KhoanThu (KhoanThuId INTEGER PRIMARY KEY, SoHoSo VARCHAR(64), TenKhoanThu VARCHAR(200), SoTien INTEGER, DaThu INTEGER);
-- The vendor's interface: rows put here are applied by the vendor's own triggers; Khoa is unique.
CREATE TABLE LtHoSoDen (
  Id INTEGER PRIMARY KEY, Khoa VARCHAR(120) NOT NULL UNIQUE, LoaiTin VARCHAR(64) NOT NULL, SoHoSo VARCHAR(64), MaDonBuuChinh VARCHAR(64),
  MaThuTuc VARCHAR(64), TenThuTuc VARCHAR(500), TenNguoiNop VARCHAR(200), LoaiNguoiNop VARCHAR(20), SoDinhDanh VARCHAR(20),
  DienThoai VARCHAR(30), NoiDung VARCHAR(2000), Kenh VARCHAR(10), NgayBuuDienNhan VARCHAR(30), NgayNop VARCHAR(30),
  HinhThucTra VARCHAR(10), DiaChiTra VARCHAR(500), NoiGui VARCHAR(35));
CREATE TABLE LtThanhPhanDen (Id INTEGER PRIMARY KEY, Khoa VARCHAR(120) NOT NULL, SoHoSo VARCHAR(64), TenGiayTo VARCHAR(500), SoBanChinh INTEGER);
CREATE TABLE LtKhoanThuDen (Id INTEGER PRIMARY KEY, Khoa VARCHAR(120) NOT NULL, SoHoSo VARCHAR(64), TenKhoanThu VARCHAR(200), SoTien INTEGER);
CREATE TABLE LtTinDen (
  Id INTEGER PRIMARY KEY, Khoa VARCHAR(120) NOT NULL UNIQUE, LoaiTin VARCHAR(64) NOT NULL, SoHoSo VARCHAR(64), MaDonBuuChinh VARCHAR(64),
  ThoiGian VARCHAR(30), GhiChu VARCHAR(2000), NoiGui VARCHAR(35));
CREATE TABLE LtKetQuaGui (Id INTEGER PRIMARY KEY, Khoa VARCHAR(200) NOT NULL, KetQua VARCHAR(20) NOT NULL, LyDo VARCHAR(200), UNIQUE (Khoa, KetQua));
CREATE TRIGGER LtHoSoDen_ApDung AFTER INSERT ON LtHoSoDen BEGIN
  INSERT INTO HoSo (SoHoSo, MaDonBuuChinh, MaThuTuc, TenThuTuc, TenNguoiNop, LoaiNguoiNop, SoDinhDanh, DienThoai, NoiDung, Kenh,
      NgayBuuDienNhan, NgayNop, TrangThai, HinhThucTra, DiaChiTra, NoiGui)
    VALUES (NEW.SoHoSo, NEW.MaDonBuuChinh, NEW.MaThuTuc, NEW.TenThuTuc, NEW.TenNguoiNop, NEW.LoaiNguoiNop, NEW.SoDinhDanh, NEW.DienThoai,
      NEW.NoiDung, NEW.Kenh, NEW.NgayBuuDienNhan, NEW.NgayNop,
      CASE WHEN NEW.LoaiTin = 'postal.accepted' THEN 'CHO_BAN_GIAO' ELSE 'CHO_TIEP_NHAN' END, NEW.HinhThucTra, NEW.DiaChiTra, NEW.NoiGui)
    ON CONFLICT (SoHoSo) DO UPDATE SET TenNguoiNop = excluded.TenNguoiNop, NoiDung = excluded.NoiDung, DienThoai = excluded.DienThoai;
END;
CREATE TRIGGER LtThanhPhanDen_ApDung AFTER INSERT ON LtThanhPhanDen BEGIN
  INSERT INTO ThanhPhanHoSo (SoHoSo, TenGiayTo, SoBanChinh) SELECT NEW.SoHoSo, NEW.TenGiayTo, NEW.SoBanChinh
    WHERE NOT EXISTS (SELECT 1 FROM ThanhPhanHoSo WHERE SoHoSo = NEW.SoHoSo AND TenGiayTo = NEW.TenGiayTo);
END;
CREATE TRIGGER LtKhoanThuDen_ApDung AFTER INSERT ON LtKhoanThuDen BEGIN
  INSERT INTO KhoanThu (SoHoSo, TenKhoanThu, SoTien, DaThu) SELECT NEW.SoHoSo, NEW.TenKhoanThu, NEW.SoTien, 0
    WHERE NOT EXISTS (SELECT 1 FROM KhoanThu WHERE SoHoSo = NEW.SoHoSo AND TenKhoanThu = NEW.TenKhoanThu);
END;
CREATE TRIGGER LtTinDen_ApDung AFTER INSERT ON LtTinDen BEGIN
  SELECT raise(ABORT, 'khong co ho so') WHERE NEW.LoaiTin <> 'postal.tracking'
    AND NOT EXISTS (SELECT 1 FROM HoSo WHERE SoHoSo = NEW.SoHoSo OR MaDonBuuChinh = NEW.MaDonBuuChinh);
  UPDATE HoSo SET
    NgayNop = CASE WHEN NEW.LoaiTin = 'postal.handover' THEN NEW.ThoiGian ELSE NgayNop END,
    NgayTra = CASE WHEN NEW.LoaiTin = 'postal.delivered' THEN NEW.ThoiGian ELSE NgayTra END,
    TrangThai = CASE NEW.LoaiTin WHEN 'postal.handover' THEN 'CHO_TIEP_NHAN' WHEN 'postal.delivered' THEN 'DA_TRA'
      WHEN 'dossier.withdrawn' THEN 'RUT' ELSE TrangThai END
    WHERE SoHoSo = NEW.SoHoSo OR MaDonBuuChinh = NEW.MaDonBuuChinh;
END;
