#include "s3/request_body.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/async.hpp"
#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

/// Digests of a longer buffer are taken in steps, between which others run.
constexpr size_t kDigestStepBytes = size_t{256} * 1024;

std::vector<std::string> announced_trailers(const RequestHead& head) {
  std::vector<std::string> names;
  for (const auto& [field, value] : head.fields()) {
    if (field != "x-amz-trailer") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      std::string name = lower_case(rest.substr(0, comma));
      std::erase(name, ' ');
      if (!name.empty()) names.push_back(std::move(name));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return names;
}

S3Error raw_body_error(const Error& error) {
  switch (error.code) {
    case Errc::timeout:
      return {S3Code::request_timeout,
              "Your socket connection to the server was not read from or written to within the "
              "timeout period."};
    case Errc::invalid:
      return {S3Code::invalid_request, error.context};
    default:
      return {S3Code::incomplete_body,
              "You did not provide the number of bytes specified by the Content-Length HTTP "
              "header"};
  }
}

}  // namespace

S3Result<std::unique_ptr<RequestBody>> RequestBody::make(const RequestHead& head,
                                                         const Authentication& authentication,
                                                         BodyReader& raw) {
  std::unique_ptr<RequestBody> body(new RequestBody(raw));
  body->chunked_ = head.chunked();
  body->size_ = head.content_length();
  const PayloadKind kind = authentication.payload;
  std::vector<std::string> trailers;
  if (kind == PayloadKind::hashed) {
    body->payload_sha256_ = authentication.payload_sha256;
    body->sha256_digest_ = make_digest(DigestKind::sha256);
  } else if (kind != PayloadKind::unsigned_payload) {
    const auto decoded = parse_decimal(head.get("x-amz-decoded-content-length"));
    if (!decoded || head.count("x-amz-decoded-content-length") != 1) {
      return s3_fail(S3Code::missing_content_length,
                     "You must provide the Content-Length HTTP header.");
    }
    trailers = announced_trailers(head);
    body->size_ = decoded;
    body->decoder_ = std::make_unique<AwsChunkedDecoder>(AwsChunkedDecoder::Options{
        kind, *decoded, trailers, authentication.signing_key, authentication.timestamp,
        authentication.scope, authentication.seed_signature});
  }
  if (head.has("content-md5")) {
    const auto value = from_base64(head.get("content-md5"));
    if (!value || value->size() != 16) {
      return s3_fail(S3Code::invalid_digest, "The Content-MD5 you specified was invalid.");
    }
    body->content_md5_ = *value;
    body->compute_md5();
  }
  TRY(body->prepare_checksum(head, trailers));
  return body;
}

S3Result<> RequestBody::prepare_checksum(const RequestHead& head,
                                         const std::vector<std::string>& trailers) {
  for (const auto& [field, value] : head.fields()) {
    if (!field.starts_with("x-amz-checksum-") || field == "x-amz-checksum-mode" ||
        field == "x-amz-checksum-type" || field == "x-amz-checksum-algorithm") {
      continue;
    }
    const ChecksumName* name = checksum_by_header(field);
    const auto raw = from_base64(value);
    if (name == nullptr || !raw || raw->size() != name->digest_bytes) {
      return s3_fail(S3Code::invalid_request, "Value for {} header is invalid.", field);
    }
    if (checksum_name_ != nullptr) {
      return s3_fail(S3Code::invalid_request,
                     "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                     "allowed.");
    }
    checksum_name_ = name;
    checksum_promised_ = value;
  }
  for (const auto& trailer : trailers) {
    const ChecksumName* name = checksum_by_header(trailer);
    if (name == nullptr || checksum_name_ != nullptr) {
      return s3_fail(S3Code::invalid_request,
                     "The value specified in the x-amz-trailer header is not supported");
    }
    checksum_name_ = name;
  }
  if (checksum_name_ != nullptr) checksum_digest_ = make_digest(checksum_name_->kind);
  return {};
}

void RequestBody::compute_md5() {
  CHECK(received_ == 0);
  if (!md5_digest_) md5_digest_ = make_digest(DigestKind::md5);
}

void RequestBody::compute_checksum(DigestKind kind) {
  CHECK(received_ == 0);
  if (checksum_name_ != nullptr) return;
  for (const auto& name : checksum_names()) {
    if (name.kind == kind) checksum_name_ = &name;
  }
  checksum_digest_ = make_digest(kind);
}

S3Task<> RequestBody::update(Buffer data) {
  received_ += data.size();
  if (!sha256_digest_ && !md5_digest_ && !checksum_digest_) co_return S3Result<>{};
  for (size_t offset = 0; offset < data.size(); offset += kDigestStepBytes) {
    if (offset > 0) {
      co_await asio::post(co_await asio::this_coro::executor, UseAwaitable{});
    }
    const ByteView step =
        data.view().subspan(offset, std::min(kDigestStepBytes, data.size() - offset));
    if (sha256_digest_) sha256_digest_->update(step);
    if (md5_digest_) md5_digest_->update(step);
    if (checksum_digest_) checksum_digest_->update(step);
  }
  co_return S3Result<>{};
}

S3Task<Buffer> RequestBody::next() {
  if (ended_) co_return Buffer();
  while (ready_.empty()) {
    auto raw = co_await raw_.next();
    if (!raw.ok()) co_return std::unexpected(raw_body_error(raw.error()));
    if (raw->empty()) {
      CO_TRY(finish());
      ended_ = true;
      co_return Buffer();
    }
    if (!decoder_) {
      ready_.push_back(std::move(*raw));
      break;
    }
    std::vector<Buffer> out;
    CO_TRY(decoder_->feed(*raw, out));
    ready_.assign(out.begin(), out.end());
  }
  Buffer data = std::move(ready_.front());
  ready_.pop_front();
  CO_TRY(co_await update(data));
  co_return data;
}

S3Result<> RequestBody::finish() {
  if (decoder_) {
    if (!decoder_->done()) {
      return s3_fail(S3Code::incomplete_body, "The aws-chunked body breaks off");
    }
    for (const auto& [name, value] : decoder_->trailers()) checksum_promised_ = value;
    // Announced and then left empty: it would not be compared below.
    if (checksum_digest_ && checksum_promised_.empty() && !decoder_->trailers().empty()) {
      return s3_fail(S3Code::bad_digest, "The trailing {} is empty.", checksum_name_->name);
    }
  }
  if (sha256_digest_) {
    const std::string computed = to_hex(as_bytes(sha256_digest_->finish()));
    if (computed != payload_sha256_) {
      S3Error error(S3Code::x_amz_content_sha256_mismatch,
                    "The provided 'x-amz-content-sha256' header does not match what was computed.");
      error.elements.emplace_back("ClientComputedContentSHA256", payload_sha256_);
      error.elements.emplace_back("S3ComputedContentSHA256", computed);
      return std::unexpected(std::move(error));
    }
  }
  if (md5_digest_) {
    const std::string computed = md5_digest_->finish();
    if (!content_md5_.empty() && content_md5_ != computed) {
      S3Error error(S3Code::bad_digest,
                    "The Content-MD5 you specified did not match what we received.");
      error.elements.emplace_back("ExpectedDigest", to_base64(as_bytes(content_md5_)));
      error.elements.emplace_back("CalculatedDigest", to_base64(as_bytes(computed)));
      return std::unexpected(std::move(error));
    }
    md5_hex_ = to_hex(as_bytes(computed));
  }
  if (checksum_digest_) {
    const std::string computed = to_base64(as_bytes(checksum_digest_->finish()));
    if (!checksum_promised_.empty() && computed != checksum_promised_) {
      return s3_fail(S3Code::bad_digest,
                     "The {} you specified did not match the calculated "
                     "checksum.",
                     checksum_name_->name);
    }
    checksum_.emplace(checksum_name_->header, computed);
  }
  return {};
}

S3Task<std::string> RequestBody::read_all(size_t bytes_max) {
  std::string text;
  for (;;) {
    const Buffer data = CO_TRY(co_await next());
    if (data.empty()) co_return text;
    if (data.size() > bytes_max - text.size()) {
      co_return s3_fail(S3Code::max_message_length_exceeded, "Your request was too big.");
    }
    text.append(data.text());
  }
}

}  // namespace turbine::s3
