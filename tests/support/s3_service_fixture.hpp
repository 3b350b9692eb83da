// The S3 service over the in-memory file system, without sockets: signed requests go in, answers
// come out. Time is virtual.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
  Task<Buffer> next() override;
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

  std::string field(const std::string& name) const;
  /// The text of the first element of that name.
  std::string element(std::string_view name) const;
  /// The texts of all elements of that name.
  std::vector<std::string> elements(std::string_view name) const;
  /// "200", or "404 NoSuchKey".
  std::string verdict() const;
};

class MemoryWriter final : public s3::ResponseWriter {
 public:
  Task<> send(s3::ResponseHead head, std::string body) override;
  Task<> start(s3::ResponseHead head, uint64_t length) override;
  Task<> write(std::vector<Buffer> data) override;
  bool started() const override { return answer.status != 0; }
  S3Answer answer;
  uint64_t left = 0;
};

/// Users: root, and two that own what they make.
class ThreeUsers final : public s3::CredentialSource {
 public:
  std::optional<s3::Credential> find(std::string_view key) const override;
  static S3Signer root() { return {"ROOTKEY", "root-secret"}; }
  static S3Signer alice() { return {"ALICEKEY", "alice-secret"}; }
  static S3Signer bob() { return {"BOBKEY", "bob-secret"}; }
};

class S3ServiceFixture : public testing::Test {
 protected:
  int64_t now() const { return time_.wall_now().ns / 1'000'000'000; }

  /// Sends a request signed by `signer_` with its payload's hash. Content-Length is added.
  S3Answer call(std::string_view method, std::string_view target, std::string body = {},
                Fields fields = {});
  /// As it stands.
  S3Answer send(const std::string& head_text, std::string body, bool client_leaves = false);
  S3Answer put(std::string_view target, std::string body, Fields fields = {});
  std::string verdict(std::string_view method, std::string_view target, std::string body = {},
                      Fields fields = {});

  VirtualTime time_;
  MemoryFileSystem files_{time_};
  ThreeUsers users_;
  std::unique_ptr<s3::S3Service> service_ =
      std::make_unique<s3::S3Service>(files_, users_, time_, "us-east-1");
  S3Signer signer_ = ThreeUsers::root();
  size_t piece_bytes_ = 1000;
};

}  // namespace turbine::test
