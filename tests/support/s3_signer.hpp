// Signs requests as a client does: heads for tests of the S3 front-end. Keys and example date are
// those of the S3 API reference, so that its published signatures can be compared with.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "s3/sigv4.hpp"
#include "s3/text.hpp"

namespace turbine::test {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct S3Signer {
  std::string access_key = "AKIAIOSFODNN7EXAMPLE";
  std::string secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  std::string region = "us-east-1";
  std::string service = "s3";
  std::string host = "s3.test";

  /// "20130524T000000Z"
  static std::string timestamp(int64_t unix_seconds) {
    std::string text = s3::format_iso_time(unix_seconds * 1'000'000'000);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text.replace(text.find('.'), std::string::npos, "Z");
  }
  s3::Sha256 signing_key(std::string_view time) const {
    return s3::derive_signing_key(secret_key, time.substr(0, 8), region, service);
  }
  std::string scope(std::string_view time) const {
    return fmt::format("{}/{}/{}/aws4_request", time.substr(0, 8), region, service);
  }

  struct Head {
    std::string text;  // with the empty line at its end
    std::string signature;
    std::string timestamp;
  };

  /// A head with an Authorization field that covers host, x-amz-* and all of `fields`. `unsigned_`
  /// fields are sent and not signed.
  Head sign(std::string_view method, std::string_view target, const Fields& fields,
            std::string_view payload_hash, int64_t unix_seconds,
            const Fields& unsigned_fields = {}) const {
    Head head;
    head.timestamp = timestamp(unix_seconds);
    Fields all = {{"host", host},
                  {"x-amz-content-sha256", std::string(payload_hash)},
                  {"x-amz-date", head.timestamp}};
    all.insert(all.end(), fields.begin(), fields.end());
    std::string names;
    head.signature = signature_of(method, target, all, payload_hash, head.timestamp, names);
    all.insert(all.end(), unsigned_fields.begin(), unsigned_fields.end());
    all.emplace_back("authorization",
                     fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, "
                                 "Signature={}",
                                 access_key, scope(head.timestamp), names, head.signature));
    head.text = text_of(method, target, all);
    return head;
  }

  /// The target with the query of a presigned URL behind it.
  std::string presign(std::string_view method, std::string_view target, int64_t unix_seconds,
                      uint64_t expires_s, const Fields& fields = {}) const {
    const std::string time = timestamp(unix_seconds);
    Fields all = {{"host", host}};
    all.insert(all.end(), fields.begin(), fields.end());
    std::vector<std::string> names;
    for (const auto& field : all) names.push_back(s3::lower_case(field.first));
    std::ranges::sort(names);
    std::string presigned = fmt::format(
        "{}{}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={}"
        "&X-Amz-SignedHeaders={}",
        target, target.find('?') == std::string_view::npos ? "?" : "&",
        s3::percent_encoded(access_key + "/" + scope(time), false), time, expires_s,
        s3::percent_encoded(fmt::format("{}", fmt::join(names, ";")), false));
    std::string joined;
    const std::string signature =
        signature_of(method, presigned, all, s3::kUnsignedPayload, time, joined);
    return presigned + "&X-Amz-Signature=" + signature;
  }

  static std::string text_of(std::string_view method, std::string_view target,
                             const Fields& fields) {
    std::string text = fmt::format("{} {} HTTP/1.1\r\n", method, target);
    for (const auto& [name, value] : fields) text += fmt::format("{}: {}\r\n", name, value);
    return text + "\r\n";
  }

  /// One chunk of an aws-chunked body; `previous` becomes its signature.
  std::string chunk(std::string_view time, std::string_view data, std::string& previous) const {
    const std::string text =
        fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}", time, scope(time), previous,
                    s3::kEmptySha256, s3::to_hex(s3::sha256(data)));
    previous = s3::sign(signing_key(time), text);
    return fmt::format("{:x};chunk-signature={}\r\n{}{}", data.size(), previous, data,
                       data.empty() ? "" : "\r\n");
  }
  /// The signed trailer behind the last chunk, with the empty line. `lines`: "name:value\n" each.
  std::string trailer(std::string_view time, std::string_view lines,
                      const std::string& previous) const {
    const std::string text = fmt::format("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}", time,
                                         scope(time), previous, s3::to_hex(s3::sha256(lines)));
    std::string sent;
    for (const char c : lines) sent += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return fmt::format("{}x-amz-trailer-signature:{}\r\n\r\n", sent,
                       s3::sign(signing_key(time), text));
  }

 private:
  std::string signature_of(std::string_view method, std::string_view target, const Fields& fields,
                           std::string_view payload_hash, const std::string& time,
                           std::string& names) const {
    const auto head = s3::RequestHead::parse(text_of(method, target, fields));
    const auto uri = s3::Uri::parse(target);
    s3::SignatureClaim claim;
    claim.date = time.substr(0, 8);
    claim.region = region;
    claim.service = service;
    claim.timestamp = time;
    for (const auto& field : fields) claim.signed_headers.push_back(s3::lower_case(field.first));
    std::ranges::sort(claim.signed_headers);
    const auto repeated = std::ranges::unique(claim.signed_headers);
    claim.signed_headers.erase(repeated.begin(), repeated.end());
    names = fmt::format("{}", fmt::join(claim.signed_headers, ";"));
    return s3::sign(signing_key(time),
                    s3::string_to_sign(claim, s3::canonical_request(head.value(), uri.value(),
                                                                    claim, payload_hash)));
  }
};

}  // namespace turbine::test
