#include "support/s3_service_fixture.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace turbine::test {

Task<Buffer> MemoryBody::next() {
  if (fail_at_end && at_ == bytes_.size()) co_return fail(Errc::closed, "client gone");
  const size_t count = std::min(piece_bytes_, bytes_.size() - at_);
  Buffer piece = Buffer::copy_of(std::string_view(bytes_).substr(at_, count));
  at_ += count;
  co_return piece;
}

std::string S3Answer::field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}

std::string S3Answer::element(std::string_view name) const {
  const std::string open = fmt::format("<{}>", name);
  const size_t begin = body.find(open);
  if (begin == std::string::npos) return {};
  const size_t end = body.find(fmt::format("</{}>", name), begin);
  return body.substr(begin + open.size(), end - begin - open.size());
}

std::vector<std::string> S3Answer::elements(std::string_view name) const {
  std::vector<std::string> texts;
  const std::string open = fmt::format("<{}>", name);
  for (size_t at = body.find(open); at != std::string::npos; at = body.find(open, at + 1)) {
    const size_t end = body.find(fmt::format("</{}>", name), at);
    texts.push_back(body.substr(at + open.size(), end - at - open.size()));
  }
  return texts;
}

std::string S3Answer::verdict() const {
  const std::string code = element("Code");
  return code.empty() || status < 400 ? std::to_string(status) : fmt::format("{} {}", status, code);
}

Task<> MemoryWriter::send(s3::ResponseHead head, std::string body) {
  CO_TRY(co_await start(std::move(head), body.size()));
  answer.body = std::move(body);
  left = 0;
  co_return Result<>{};
}

Task<> MemoryWriter::start(s3::ResponseHead head, uint64_t length) {
  CHECK(answer.status == 0);
  answer.status = head.status;
  for (auto& [name, value] : head.fields) {
    EXPECT_FALSE(answer.fields.contains(s3::lower_case(name))) << name << " is given twice";
    answer.fields[s3::lower_case(name)] = value;
  }
  answer.fields["content-length"] = std::to_string(length);
  left = length;
  co_return Result<>{};
}

Task<> MemoryWriter::write(std::vector<Buffer> data) {
  for (const Buffer& buffer : data) answer.body += buffer.text();
  co_return Result<>{};
}

std::optional<s3::Credential> ThreeUsers::find(std::string_view key) const {
  if (key == "ROOTKEY") return s3::Credential{"root-secret", {1, "root", "ROOTKEY", true}};
  if (key == "ALICEKEY") return s3::Credential{"alice-secret", {2, "alice", "ALICEKEY", false}};
  if (key == "BOBKEY") return s3::Credential{"bob-secret", {3, "bob", "BOBKEY", false}};
  return std::nullopt;
}

S3Answer S3ServiceFixture::call(std::string_view method, std::string_view target, std::string body,
                                Fields fields) {
  fields.emplace_back("content-length", std::to_string(body.size()));
  const auto head = signer_.sign(method, target, fields, s3::to_hex(s3::sha256(body)), now());
  return send(head.text, std::move(body));
}

S3Answer S3ServiceFixture::send(const std::string& head_text, std::string body,
                                bool client_leaves) {
  const auto head = s3::RequestHead::parse(head_text);
  if (!head.ok()) {
    ADD_FAILURE() << "bad head in a test: " << head.error().context;
    return {};
  }
  MemoryBody reader(std::move(body), piece_bytes_);
  reader.fail_at_end = client_leaves;
  MemoryWriter writer;
  const auto handled = time_.run(service_->handle(*head, reader, writer));
  writer.answer.cut = !handled.ok();
  writer.answer.body_untouched = reader.untouched();
  return std::move(writer.answer);
}

S3Answer S3ServiceFixture::put(std::string_view target, std::string body, Fields fields) {
  S3Answer answer = call("PUT", target, std::move(body), std::move(fields));
  EXPECT_EQ(answer.verdict(), "200") << target << answer.body;
  return answer;
}

std::string S3ServiceFixture::verdict(std::string_view method, std::string_view target,
                                      std::string body, Fields fields) {
  return call(method, target, std::move(body), std::move(fields)).verdict();
}

}  // namespace turbine::test
