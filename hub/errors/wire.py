"""Errors of what arrives over the wire: XML, profile, signature, trust, schema, header, routing."""

from __future__ import annotations

from hub.errors.base import Disposition, HubError


class XmlError(HubError):
    """The bytes are not the XML that the hub reads."""

    disposition = Disposition.QUARANTINE


class XmlMalformed(XmlError):
    """The document is not well-formed XML."""

    code = "xml.malformed"
    vi = "Tài liệu không phải XML đúng cú pháp."


class XmlDoctype(XmlError):
    """The document contains a DOCTYPE or an entity declaration, which is never accepted."""

    code = "xml.doctype"
    vi = "Tài liệu chứa DOCTYPE hoặc khai báo thực thể, không được chấp nhận."


class XmlTooLarge(XmlError):
    """The document has {size} bytes; the limit is {limit}."""

    code = "xml.too_large"
    vi = "Tài liệu có {size} byte, vượt giới hạn {limit} byte."


class XmlTooDeep(XmlError):
    """The document has more levels, attributes or elements than are allowed ({limit})."""

    code = "xml.too_deep"
    vi = "Tài liệu có số cấp, số thuộc tính hoặc số phần tử vượt mức cho phép ({limit})."


class XmlEncoding(XmlError):
    """The document is not UTF-8."""

    code = "xml.encoding"
    vi = "Tài liệu không ở bảng mã UTF-8."


class ProfileError(HubError):
    """The signature does not follow the one profile that the hub accepts."""

    disposition = Disposition.QUARANTINE


class SignatureMissing(ProfileError):
    """The envelope carries no signature."""

    code = "profile.signature_missing"
    vi = "Phong bì không có chữ ký."


class SignatureCount(ProfileError):
    """The envelope carries {count} signatures; exactly one is allowed."""

    code = "profile.signature_count"
    vi = "Phong bì có {count} chữ ký; chỉ được đúng một."


class SignaturePlace(ProfileError):
    """The signature is not the last child of the envelope, or is not built as the profile says."""

    code = "profile.signature_place"
    vi = "Chữ ký không phải phần tử con cuối cùng của phong bì, hoặc sai cấu trúc."


class ReferenceRefused(ProfileError):
    """The signature must have one reference, with URI="" for the whole envelope."""

    code = "profile.reference"
    vi = 'Chữ ký phải có đúng một tham chiếu với URI="" cho toàn bộ phong bì.'


class TransformRefused(ProfileError):
    """The transforms are not enveloped-signature followed by exclusive canonicalisation."""

    code = "profile.transform"
    vi = "Các phép biến đổi không phải enveloped-signature rồi chuẩn hóa loại trừ."


class AlgorithmRefused(ProfileError):
    """The algorithm {value} is not allowed here."""

    code = "profile.algorithm"
    vi = "Thuật toán {value} không được phép."


class KeyInfoRefused(ProfileError):
    """KeyInfo must hold exactly one X509Data whose first certificate is the signer's."""

    code = "profile.key_info"
    vi = "KeyInfo phải có đúng một X509Data, chứng thư đầu tiên là của người ký."


class CommentOrPi(ProfileError):
    """Comments, processing instructions and xsi attributes are not allowed in an envelope."""

    code = "profile.comment_or_pi"
    vi = "Phong bì không được chứa chú thích, chỉ thị xử lý hay thuộc tính xsi."


class SignatureInvalid(HubError):
    """The signature does not hold."""

    disposition = Disposition.QUARANTINE


class DigestMismatch(SignatureInvalid):
    """The content was changed after it was signed: its digest differs."""

    code = "signature.digest_mismatch"
    vi = "Nội dung đã bị thay đổi sau khi ký: giá trị băm không khớp."


class ValueMismatch(SignatureInvalid):
    """The signature value does not verify with the signer's key."""

    code = "signature.value_mismatch"
    vi = "Giá trị chữ ký không khớp với khóa của người ký."


class TrustError(HubError):
    """The signer's certificate is not trusted for this sender."""

    disposition = Disposition.QUARANTINE


class UnknownIssuer(TrustError):
    """The certificate does not chain to a trust anchor of this hub."""

    code = "trust.unknown_issuer"
    vi = "Chứng thư không nối được đến gốc tin cậy của trục."


class NotInDate(TrustError):
    """The certificate, or its registration, is not valid at the time of arrival."""

    code = "trust.not_in_date"
    vi = "Chứng thư hoặc đăng ký của nó không còn (hoặc chưa) hiệu lực lúc nhận."


class Revoked(TrustError):
    """The certificate is revoked."""

    code = "trust.revoked"
    vi = "Chứng thư đã bị thu hồi."


class RevocationUnknown(TrustError):
    """Whether the certificate is revoked cannot be told, and the policy refuses that."""

    code = "trust.revocation_unknown"
    vi = "Không xác định được chứng thư có bị thu hồi hay không; chính sách từ chối."


class KeyUsageRefused(TrustError):
    """The certificate does not carry the key usage digitalSignature, or is a CA's."""

    code = "trust.key_usage"
    vi = "Chứng thư không có mục đích digitalSignature, hoặc là chứng thư của CA."


class WeakKey(TrustError):
    """The signer's key is too weak or of a kind that is not allowed."""

    code = "trust.weak_key"
    vi = "Khóa của người ký quá yếu hoặc thuộc loại không được phép."


class SignerMismatch(TrustError):
    """The signature is good, but the certificate is not one registered for the sender {sender}."""

    code = "trust.signer_mismatch"
    vi = "Chữ ký đúng, nhưng chứng thư không phải của cơ quan gửi {sender}."


class CertificateBinding(TrustError):
    """The header's SignerCertificate is not the certificate that signed."""

    code = "trust.certificate_binding"
    vi = "SignerCertificate trong phần đầu không phải chứng thư đã ký."


class Unregistered(TrustError):
    """The certificate is registered for no agency."""

    code = "trust.unregistered"
    vi = "Chứng thư chưa được đăng ký cho cơ quan nào."


class SchemaError(HubError):
    """The envelope's content is not what its type promises."""

    disposition = Disposition.REJECT


class SchemaViolation(SchemaError):
    """The content violates the schema: {reason}."""

    code = "schema.violation"
    vi = "Nội dung không đúng lược đồ: {reason}."


class UnknownType(SchemaError):
    """The message type {value} is not one that the hub carries."""

    code = "schema.unknown_type"
    vi = "Loại thông điệp {value} không có trong danh mục của trục."


class UnknownVersion(SchemaError):
    """The envelope or schema version {value} is not known."""

    code = "schema.unknown_version"
    vi = "Phiên bản {value} của phong bì hoặc lược đồ không được biết."


class HeaderError(HubError):
    """A header field is not acceptable."""

    disposition = Disposition.REJECT


class WrongEnvironment(HeaderError):
    """The envelope is for the environment {value}, this hub is {expected}."""

    code = "header.environment"
    vi = "Phong bì thuộc môi trường {value}, còn trục này là {expected}."


class MessageExpired(HeaderError):
    """The message is past its expiry, or older than {limit} days."""

    code = "header.expired"
    vi = "Thông điệp đã quá hạn hiệu lực hoặc cũ hơn {limit} ngày."


class ClockAhead(HeaderError):
    """CreatedAt lies more than {limit} minutes in the future: check the sender's clock."""

    code = "header.clock"
    vi = "CreatedAt ở tương lai hơn {limit} phút: hãy kiểm tra đồng hồ máy gửi."


class RecipientCount(HeaderError):
    """The envelope names {count} receivers; 1 to {limit} are allowed."""

    code = "header.recipient_count"
    vi = "Phong bì có {count} nơi nhận; chỉ được từ 1 đến {limit}."


class DuplicateRecipient(HeaderError):
    """The receiver {value} is named twice, by itself or by an alias."""

    code = "header.duplicate_recipient"
    vi = "Nơi nhận {value} bị nêu hai lần, trực tiếp hoặc qua mã khác."


class AccountRefused(HubError):
    """The broker account {value} is missing or is not the one of the sender {sender}."""

    code = "header.account"
    vi = "Tài khoản môi giới {value} thiếu hoặc không phải của cơ quan gửi {sender}."
    disposition = Disposition.QUARANTINE


class HeaderContradiction(HubError):
    """The transport property {name} contradicts the signed header."""

    code = "header.contradiction"
    vi = "Thuộc tính vận chuyển {name} mâu thuẫn với phần đầu đã ký."
    disposition = Disposition.QUARANTINE


class RoutingError(HubError):
    """The message cannot be routed."""

    disposition = Disposition.REJECT


class UnknownReceiver(RoutingError):
    """No agency has the code {value}."""

    code = "routing.unknown_receiver"
    vi = "Không có cơ quan nào mang mã {value}."


class ClosedReceiver(RoutingError):
    """The agency {value} was closed or merged; its successor is {successor}."""

    code = "routing.closed_receiver"
    vi = "Cơ quan {value} đã giải thể hoặc sáp nhập; cơ quan kế thừa: {successor}."


class NotAllowed(RoutingError):
    """No access rule lets {sender} send {type} to {receiver}."""

    code = "routing.not_allowed"
    vi = "Không có quy tắc nào cho phép {sender} gửi {type} tới {receiver}."


class Unroutable(HubError):
    """The broker has no queue for {value}."""

    code = "routing.unroutable"
    vi = "Môi giới không có hàng đợi cho {value}."
    disposition = Disposition.PARK


class DuplicateSame(HubError):
    """This message was already taken; the first one's answer is repeated."""

    code = "duplicate.same"
    vi = "Thông điệp này đã được nhận; câu trả lời lần đầu được gửi lại."
    disposition = Disposition.REJECT


class DuplicateConflict(HubError):
    """The sender already used this message id for other content."""

    code = "duplicate.conflict"
    vi = "Cơ quan gửi đã dùng mã thông điệp này cho một nội dung khác."
    disposition = Disposition.REJECT


class AttachmentError(HubError):
    """An attachment is not acceptable."""

    disposition = Disposition.REJECT


class AttachmentMissing(AttachmentError):
    """The attachment {name} is referred to, but its bytes are not there."""

    code = "attachment.missing"
    vi = "Tệp đính kèm {name} được nhắc tới nhưng không có nội dung."


class AttachmentDigest(AttachmentError):
    """The bytes of the attachment {name} do not have the size or SHA-256 that is stated."""

    code = "attachment.digest_mismatch"
    vi = "Nội dung tệp đính kèm {name} không đúng kích thước hoặc SHA-256 đã nêu."


class AttachmentTooLarge(AttachmentError):
    """The attachment {name} has {size} bytes; the inline limit is {limit}."""

    code = "attachment.too_large"
    vi = "Tệp đính kèm {name} có {size} byte, vượt giới hạn {limit} byte."


class ReceiptRefused(HubError):
    """The receipt speaks of a message that was not delivered to its sender: {reason}."""

    code = "receipt.refused_itself"
    vi = "Biên nhận nói về thông điệp không được giao cho người gửi nó: {reason}."
    disposition = Disposition.PARK
