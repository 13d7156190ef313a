-- A commune's one-stop database, modelled on traits of real ones; no product's schema. Text columns hold TCVN3 bytes.
-- row_ver is a row version of the whole table, kept by the vendor's triggers.
CREATE TABLE hoso (
  id INTEGER PRIMARY KEY, ma_ho_so VARCHAR(64) UNIQUE, ma_ho_so_khac VARCHAR(64), ma_tthc VARCHAR(64), ten_tthc BLOB,
  chu_ho_so BLOB, loai_doi_tuong BLOB, so_giay_to VARCHAR(20), dien_thoai VARCHAR(30), trich_yeu BLOB,
  kenh VARCHAR(2), ngay_nop VARCHAR(30), ngay_tiep_nhan VARCHAR(30), ngay_hen_tra VARCHAR(30), ngay_ket_thuc VARCHAR(30), ngay_tra VARCHAR(30),
  trang_thai VARCHAR(4), hinh_thuc_tra VARCHAR(2), don_vi VARCHAR(50), dinh_kem_kq VARCHAR(2000), ghi_chu BLOB,
  deleted_on VARCHAR(30), row_ver INTEGER);
CREATE TABLE quatrinh (
  id INTEGER PRIMARY KEY, ma_ho_so VARCHAR(64), nguoi BLOB, phong BLOB, thoi_gian VARCHAR(30), thao_tac BLOB, trang_thai VARCHAR(4), han_buoc VARCHAR(30));
CREATE TABLE giayto (id INTEGER PRIMARY KEY, ma_ho_so VARCHAR(64), ten BLOB, so_luong INTEGER, loai VARCHAR(2), dinh_kem VARCHAR(2000), trang_thai_so_hoa VARCHAR(2));
CREATE TABLE lephi (id INTEGER PRIMARY KEY, ma_ho_so VARCHAR(64), ten BLOB, so_tien DECIMAL(18,2), trang_thai BLOB);
-- The vendor's interface: a row put here is applied to the dossier by the vendor's own trigger.
CREATE TABLE gd_trang_thai (
  id INTEGER PRIMARY KEY, ma_ho_so VARCHAR(64) NOT NULL, loai_tin VARCHAR(64), trang_thai VARCHAR(4) NOT NULL, noi_dung BLOB,
  phong BLOB, thoi_gian VARCHAR(30), han_tra VARCHAR(30), don_vi_gui VARCHAR(35));
CREATE TABLE gd_ket_qua_gui (
  id INTEGER PRIMARY KEY, khoa VARCHAR(200) NOT NULL, ket_qua VARCHAR(20) NOT NULL, ly_do VARCHAR(200), UNIQUE (khoa, ket_qua));
-- The connector's own table beside them.
CREATE TABLE lt_inbox (khoa VARCHAR(120) PRIMARY KEY, tham_chieu VARCHAR(64));
CREATE TRIGGER hoso_moi AFTER INSERT ON hoso WHEN NEW.row_ver IS NULL BEGIN
  UPDATE hoso SET row_ver = (SELECT coalesce(max(row_ver), 0) + 1 FROM hoso) WHERE id = NEW.id;
END;
CREATE TRIGGER hoso_sua AFTER UPDATE ON hoso WHEN NEW.row_ver IS OLD.row_ver BEGIN
  UPDATE hoso SET row_ver = (SELECT max(row_ver) + 1 FROM hoso) WHERE id = NEW.id;
END;
CREATE TRIGGER gd_trang_thai_ap_dung AFTER INSERT ON gd_trang_thai BEGIN
  SELECT raise(ABORT, 'khong co ho so') WHERE NOT EXISTS (SELECT 1 FROM hoso WHERE ma_ho_so = NEW.ma_ho_so);
  UPDATE hoso SET trang_thai = NEW.trang_thai,
    ngay_tiep_nhan = CASE WHEN NEW.loai_tin = 'dossier.received' THEN NEW.thoi_gian ELSE ngay_tiep_nhan END,
    ngay_hen_tra = coalesce(NEW.han_tra, ngay_hen_tra),
    ngay_ket_thuc = CASE WHEN NEW.trang_thai = '9' THEN NEW.thoi_gian ELSE ngay_ket_thuc END,
    ngay_tra = CASE WHEN NEW.trang_thai = '10' THEN NEW.thoi_gian ELSE ngay_tra END
    WHERE ma_ho_so = NEW.ma_ho_so;
  INSERT INTO quatrinh (ma_ho_so, nguoi, phong, thoi_gian, thao_tac, trang_thai, han_buoc)
    VALUES (NEW.ma_ho_so, NULL, NEW.phong, NEW.thoi_gian, NEW.noi_dung, NEW.trang_thai, NULL);
END;
