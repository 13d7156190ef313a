"""Errors of running the hub: configuration, keys, broker, store, audit, usage."""

from __future__ import annotations

from hub.errors.base import Disposition, HubError


class ConfigInvalid(HubError):
    """The setting {key} in {file} is not acceptable: {reason}."""

    code = "config.invalid"
    vi = "Thiết lập {key} trong {file} không hợp lệ: {reason}."


class ConfigMissing(HubError):
    """{file} is missing: {reason}."""

    code = "config.missing"
    vi = "Thiếu {file}: {reason}."


class UsageError(HubError):
    """{reason}."""

    code = "usage.invalid"
    vi = "{reason}."


class KeyUnreadable(HubError):
    """The key or certificate in {file} cannot be read: {reason}."""

    code = "key.unreadable"
    vi = "Không đọc được khóa hoặc chứng thư trong {file}: {reason}."


class KeyMismatch(HubError):
    """The private key and the certificate in {file} do not belong together."""

    code = "key.mismatch"
    vi = "Khóa bí mật và chứng thư trong {file} không khớp nhau."


class NoIdentity(HubError):
    """There is no key and certificate for the agency {value} in this home."""

    code = "key.absent"
    vi = "Không có khóa và chứng thư của cơ quan {value} trong thư mục này."


class BrokerUnavailable(HubError):
    """The message broker cannot be reached: {reason}."""

    code = "broker.unavailable"
    vi = "Không kết nối được máy chủ hàng đợi: {reason}."
    disposition = Disposition.RETRY


class BrokerRefused(HubError):
    """The message broker refuses this: {reason}."""

    code = "broker.refused"
    vi = "Máy chủ hàng đợi từ chối: {reason}."


class BrokerUnconfirmed(HubError):
    """The broker did not confirm {count} messages in time; they will be published again."""

    code = "broker.unconfirmed"
    vi = "Máy chủ hàng đợi chưa xác nhận {count} thông điệp; sẽ gửi lại."
    disposition = Disposition.RETRY


class NodeFailed(HubError):
    """The private RabbitMQ node did not start: {reason}."""

    code = "broker.node"
    vi = "Máy chủ RabbitMQ riêng không khởi động được: {reason}."


class TopologyDiffers(HubError):
    """The broker's queues and exchanges differ from what the directory asks for: {reason}."""

    code = "broker.topology"
    vi = "Hàng đợi của máy chủ khác với danh mục yêu cầu: {reason}."


class StoreUnavailable(HubError):
    """The store cannot be used: {reason}."""

    code = "store.unavailable"
    vi = "Không dùng được kho lưu: {reason}."
    disposition = Disposition.RETRY


class StoreSchema(HubError):
    """The store has the schema version {value}; this program needs {expected}."""

    code = "store.schema"
    vi = "Kho lưu có phiên bản {value}; chương trình này cần {expected}."


class StoreDamaged(HubError):
    """The stored bytes with the SHA-256 {value} are not those that were stored."""

    code = "store.damaged"
    vi = "Nội dung lưu với SHA-256 {value} không còn đúng như lúc ghi."


class SecondRouter(HubError):
    """Another router already uses this SQLite store; PostgreSQL serves any number of routers."""

    code = "store.second_router"
    vi = "Đã có bộ định tuyến khác dùng kho SQLite này; muốn nhiều bộ hãy dùng PostgreSQL."


class ConnectorRunning(HubError):
    """Another process already runs the connector {name}: it holds {file}."""

    code = "connector.running"
    vi = "Đã có tiến trình khác chạy đầu nối {name}: nó giữ {file}."


class AuditBroken(HubError):
    """The hash chain of the log is broken at entry {value}."""

    code = "audit.broken"
    vi = "Chuỗi băm của nhật ký bị đứt tại mục {value}."


class NotFound(HubError):
    """Nothing is known of {value}."""

    code = "lookup.not_found"
    vi = "Không tìm thấy {value}."


class InternalFault(HubError):
    """The hub failed inside while judging this ({kind}); it is kept, and a person has to look."""

    code = "internal.fault"
    vi = "Trục gặp lỗi nội bộ khi xét ({kind}); thông điệp được giữ lại, cần người xem xét."


class ProcessFailed(HubError):
    """The process {name} ended with status {status}: {reason}."""

    code = "process.failed"
    vi = "Tiến trình {name} kết thúc với mã {status}: {reason}."
