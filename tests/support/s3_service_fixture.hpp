// The S3 service over the in-memory file system, without sockets: signed requests go in, answers
// come out. Time is virtual.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "s3/service.hpp"
#include "support/memory_file_system.hpp"
#include "support/s3_signer.hpp"
#include "support/virtual_time.hpp"

namespace turbine::test {

/// Gives a body in pieces of `piece_bytes`.
class MemoryBody final : public s3::BodyReader {
 public:
  MemoryBody(std::string bytes, size_t piece_bytes)
      : bytes_(std::move(bytes)), piece_bytes_(piece_bytes) {}
  Task<Buffer> next() override {
    if (fail_at_end && at_ == bytes_.size()) co_return fail(Errc::closed, "client gone");
    const size_t count = std::min(piece_bytes_, bytes_.size() - at_);
    Buffer piece = Buffer::copy_of(std::string_view(bytes_).substr(at_, count));
    at_ += count;
    co_return piece;
  }
  bool finished() const override { return at_ == bytes_.size(); }
  bool untouched() const { return at_ == 0; }
  bool fail_at_end = false;

 private:
  std::string bytes_;
  size_t piece_bytes_;
  size_t at_ = 0;
};

struct S3Answer {
  int status = 0;                             // 0: cut off before a head
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;
  bool cut = false;            // the connection would be closed in the middle
  bool body_untouched = true;  // of the request

  std::string field(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  }
  /// The text of the first element of that name.
  std::string element(std::string_view name) const {
    const std::string open = fmt::format("<{}>", name);
    const size_t begin = body.find(open);
    if (begin == std::string::npos) return {};
    const size_t end = body.find(fmt::format("</{}>", name), begin);
    return body.substr(begin + open.size(), end - begin - open.size());
  }
  /// The texts of all elements of that name.
  std::vector<std::string> elements(std::string_view name) const {
    std::vector<std::string> texts;
    const std::string open = fmt::format("<{}>", name);
    for (size_t at = body.find(open); at != std::string::npos; at = body.find(open, at + 1)) {
      const size_t end = body.find(fmt::format("</{}>", name), at);
      texts.push_back(body.substr(at + open.size(), end - at - open.size()));
    }
    return texts;
  }
  /// "200", or "404 NoSuchKey".
  std::string verdict() const {
    const std::string code = element("Code");
    return code.empty() || status < 400 ? std::to_string(status)
                                        : fmt::format("{} {}", status, code);
  }
};

class MemoryWriter final : public s3::ResponseWriter {
 public:
  Task<> send(s3::ResponseHead head, std::string body) override {
    CO_TRY(co_await start(std::move(head), body.size()));
    answer.body = std::move(body);
    left = 0;
    co_return Result<>{};
  }
  Task<> start(s3::ResponseHead head, uint64_t length) override {
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
  Task<> write(std::vector<Buffer> data) override {
    for (const Buffer& buffer : data) answer.body += buffer.text();
    co_return Result<>{};
  }
  bool started() const override { return answer.status != 0; }
  S3Answer answer;
  uint64_t left = 0;
};

/// Users: root, and two that own what they make.
class ThreeUsers final : public s3::CredentialSource {
 public:
  std::optional<s3::Credential> find(std::string_view key) const override {
    if (key == "ROOTKEY") return s3::Credential{"root-secret", {1, "root", "ROOTKEY", true}};
    if (key == "ALICEKEY") return s3::Credential{"alice-secret", {2, "alice", "ALICEKEY", false}};
    if (key == "BOBKEY") return s3::Credential{"bob-secret", {3, "bob", "BOBKEY", false}};
    return std::nullopt;
  }
  static S3Signer root() { return {"ROOTKEY", "root-secret"}; }
  static S3Signer alice() { return {"ALICEKEY", "alice-secret"}; }
  static S3Signer bob() { return {"BOBKEY", "bob-secret"}; }
};

class S3ServiceFixture : public testing::Test {
 protected:
  int64_t now() const { return time_.wall_now().ns / 1'000'000'000; }

  /// Sends a request signed by `signer_` with its payload's hash. Content-Length is added.
  S3Answer call(std::string_view method, std::string_view target, std::string body = {},
                Fields fields = {}) {
    fields.emplace_back("content-length", std::to_string(body.size()));
    const auto head = signer_.sign(method, target, fields, s3::to_hex(s3::sha256(body)), now());
    return send(head.text, std::move(body));
  }
  /// As it stands.
  S3Answer send(const std::string& head_text, std::string body, bool client_leaves = false) {
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
  S3Answer put(std::string_view target, std::string body, Fields fields = {}) {
    S3Answer answer = call("PUT", target, std::move(body), std::move(fields));
    EXPECT_EQ(answer.verdict(), "200") << target << answer.body;
    return answer;
  }
  std::string verdict(std::string_view method, std::string_view target, std::string body = {},
                      Fields fields = {}) {
    return call(method, target, std::move(body), std::move(fields)).verdict();
  }

  VirtualTime time_;
  MemoryFileSystem files_{time_};
  ThreeUsers users_;
  std::unique_ptr<s3::S3Service> service_ =
      std::make_unique<s3::S3Service>(files_, users_, time_, "us-east-1");
  S3Signer signer_ = ThreeUsers::root();
  size_t piece_bytes_ = 1000;
};

}  // namespace turbine::test
