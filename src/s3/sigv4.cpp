#include "s3/sigv4.hpp"

#include <algorithm>

#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string join(const std::vector<std::string>& parts, char separator) {
  std::string text;
  for (const auto& part : parts) {
    if (!text.empty()) text.push_back(separator);
    text.append(part);
  }
  return text;
}

bool is_signature(std::string_view text) {
  return text.size() == 64 && from_hex(text).has_value();
}

/// "KEY/20130524/us-east-1/s3/aws4_request"; the key may hold slashes.
bool read_credential(std::string_view text, SignatureClaim& claim) {
  auto parts = split(text, '/');
  if (parts.size() < 5 || parts.back() != "aws4_request") return false;
  const size_t count = parts.size();
  claim.service = std::move(parts[count - 2]);
  claim.region = std::move(parts[count - 3]);
  claim.date = std::move(parts[count - 4]);
  parts.resize(count - 4);
  claim.access_key = join(parts, '/');
  return !claim.access_key.empty() && claim.date.size() == 8 && parse_decimal(claim.date);
}

/// Appends `value` with runs of blanks made one.
void append_squeezed(std::string& out, std::string_view value) {
  bool blank = false;
  for (const char c : value) {
    const bool is_blank = c == ' ' || c == '\t';
    if (!is_blank) {
      out.push_back(c);
    } else if (!blank) {
      out.push_back(' ');
    }
    blank = is_blank;
  }
}

}  // namespace

std::string SignatureClaim::scope() const {
  return fmt::format("{}/{}/{}/aws4_request", date, region, service);
}

S3Result<SignatureClaim> parse_authorization(const RequestHead& head) {
  auto malformed = [](std::string_view what) {
    return s3_fail(S3Code::authorization_header_malformed,
                   "The authorization header is malformed; {}.", what);
  };
  std::string_view rest = head.get("authorization");
  if (!rest.starts_with(kSigningAlgorithm) || rest.substr(kSigningAlgorithm.size(), 1) != " ") {
    return s3_fail(S3Code::invalid_request,
                   "The authorization mechanism you have provided is not supported. Please use "
                   "AWS4-HMAC-SHA256.");
  }
  rest.remove_prefix(kSigningAlgorithm.size() + 1);
  SignatureClaim claim;
  bool has_credential = false, has_headers = false;
  for (const std::string& item : split(rest, ',')) {
    const std::string_view field = trim(item);
    const size_t equals = field.find('=');
    if (equals == std::string_view::npos) return malformed("a component has no value");
    const std::string_view name = field.substr(0, equals);
    const std::string_view value = field.substr(equals + 1);
    if (name == "Credential" && !has_credential) {
      has_credential = read_credential(value, claim);
      if (!has_credential) return malformed("the Credential is mal-formed");
    } else if (name == "SignedHeaders" && !has_headers) {
      claim.signed_headers = split(value, ';');
      has_headers = true;
    } else if (name == "Signature" && claim.signature.empty()) {
      claim.signature = value;
    } else {
      return malformed("a component is unknown or repeated");
    }
  }
  if (!has_credential || !has_headers || !is_signature(claim.signature)) {
    return malformed("it needs Credential, SignedHeaders and Signature");
  }
  if (head.has("x-amz-date")) {
    claim.timestamp = head.get("x-amz-date");
  } else if (const auto date = parse_http_date(head.get("date"))) {
    claim.timestamp = format_iso_time(*date * 1'000'000'000);
    std::erase_if(claim.timestamp, [](char c) { return c == '-' || c == ':'; });
    claim.timestamp.replace(claim.timestamp.find('.'), std::string::npos, "Z");
  }
  return claim;
}

S3Result<SignatureClaim> parse_presigned(const Query& query) {
  auto malformed = [](std::string_view what) {
    return s3_fail(S3Code::authorization_query_parameters_error, "{}", what);
  };
  for (const std::string_view name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date",
                                      "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"}) {
    if (query.count(name) != 1) {
      return malformed(
          "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
          "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters, each "
          "once.");
    }
  }
  SignatureClaim claim;
  claim.presigned = true;
  if (query.get("X-Amz-Algorithm") != kSigningAlgorithm) {
    return malformed("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  }
  if (!read_credential(query.get("X-Amz-Credential"), claim)) {
    return malformed("Error parsing the X-Amz-Credential parameter");
  }
  const auto expires = parse_decimal(query.get("X-Amz-Expires"));
  if (!expires || *expires < 1 || *expires > 604'800) {
    return malformed("X-Amz-Expires must be between 1 and 604800 seconds");
  }
  claim.expires_s = *expires;
  claim.timestamp = query.get("X-Amz-Date");
  claim.signed_headers = split(query.get("X-Amz-SignedHeaders"), ';');
  claim.signature = query.get("X-Amz-Signature");
  if (!is_signature(claim.signature)) return malformed("X-Amz-Signature is malformed");
  return claim;
}

std::string canonical_query(const Query& query, std::string_view without) {
  std::vector<std::pair<std::string, std::string>> items;
  for (const auto& [name, value] : query.items()) {
    if (!without.empty() && name == without) continue;
    items.emplace_back(percent_encoded(name, false), percent_encoded(value, false));
  }
  std::ranges::sort(items);
  std::string text;
  for (const auto& [name, value] : items) {
    if (!text.empty()) text.push_back('&');
    text.append(name).append("=").append(value);
  }
  return text;
}

std::string canonical_headers(const RequestHead& head, const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    text.append(name).push_back(':');
    bool first = true;
    for (const auto& [field, value] : head.fields()) {
      if (field != name) continue;
      if (!std::exchange(first, false)) text.push_back(',');
      append_squeezed(text, value);
    }
    text.push_back('\n');
  }
  return text;
}

std::string canonical_request(const RequestHead& head, const Uri& uri, const SignatureClaim& claim,
                              std::string_view payload_hash) {
  std::string text;
  text.reserve(1024);
  text.append(head.method()).push_back('\n');
  percent_encode(text, uri.path, true);
  text.push_back('\n');
  text.append(canonical_query(uri.query, claim.presigned ? "X-Amz-Signature" : "")).append("\n");
  text.append(canonical_headers(head, claim.signed_headers)).append("\n");
  text.append(join(claim.signed_headers, ';')).append("\n");
  text.append(payload_hash);
  return text;
}

std::string string_to_sign(const SignatureClaim& claim, std::string_view canonical) {
  return fmt::format("{}\n{}\n{}\n{}", kSigningAlgorithm, claim.timestamp, claim.scope(),
                     to_hex(sha256(canonical)));
}

Sha256 derive_signing_key(std::string_view secret, std::string_view date, std::string_view region,
                          std::string_view service) {
  const std::string start = "AWS4" + std::string(secret);
  Sha256 key = hmac_sha256(as_bytes(start), date);
  key = hmac_sha256(key, region);
  key = hmac_sha256(key, service);
  return hmac_sha256(key, "aws4_request");
}

std::string sign(const Sha256& key, std::string_view text) {
  return to_hex(hmac_sha256(key, text));
}

}  // namespace turbine::s3
