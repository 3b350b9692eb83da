// Run by client_api_test.py against a running array: what one client's calls promise. Prints what
// failed and exits with 1.
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <turbine/client.hpp>

namespace {

using turbine::client::ByteRange;
using turbine::client::Client;
using turbine::client::ErrorCode;
using Bytes = std::vector<std::byte>;

#define EXPECT(...)                                                       \
  do {                                                                    \
    if (!(__VA_ARGS__)) {                                                 \
      std::cerr << __FILE__ << ":" << __LINE__ << ": " #__VA_ARGS__ "\n"; \
      std::exit(1);                                                       \
    }                                                                     \
  } while (false)

Bytes random_bytes(uint64_t seed, size_t size) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

template <class T>
bool failed_with(const turbine::client::Result<T>& result, ErrorCode code) {
  return !result && result.error().code == code;
}

void check_ranges(Client& client) {
  const Bytes bytes = random_bytes(1, 5'000'001);  // several stripes and an odd end
  EXPECT(client.put("checks", "ranges", bytes).has_value());
  const ByteRange ranges[] = {{},
                              {0, 0},
                              {0, 1},
                              {4095, 2},
                              {1'048'575, 2},
                              {999'999, 3'000'000},
                              {5'000'000, 100},
                              {5'000'001, 1}};
  for (const ByteRange range : ranges) {
    const auto got = client.get("checks", "ranges", range);
    EXPECT(got.has_value());
    const auto end = range.offset + std::min<uint64_t>(range.length, bytes.size() - range.offset);
    EXPECT(got->bytes == Bytes(bytes.begin() + static_cast<ptrdiff_t>(range.offset),
                               bytes.begin() + static_cast<ptrdiff_t>(end)));
    EXPECT(got->info.size == bytes.size());
  }
  EXPECT(failed_with(client.get("checks", "ranges", {5'000'002, 1}), ErrorCode::invalid));
}

void check_errors(Client& client) {
  EXPECT(failed_with(client.create_bucket("checks"), ErrorCode::exists));
  EXPECT(failed_with(client.create_bucket("No_Bucket"), ErrorCode::invalid));
  EXPECT(failed_with(client.delete_bucket("checks"), ErrorCode::not_empty));
  EXPECT(failed_with(client.delete_bucket("absent"), ErrorCode::not_found));
  EXPECT(failed_with(client.head("checks", "absent"), ErrorCode::not_found));
  EXPECT(failed_with(client.get("absent", "x"), ErrorCode::not_found));
  EXPECT(failed_with(client.list("absent"), ErrorCode::not_found));
  EXPECT(failed_with(client.put("checks", "", {}), ErrorCode::invalid));
  EXPECT(failed_with(client.put("checks", std::string(1025, 'k'), {}), ErrorCode::invalid));
  EXPECT(failed_with(client.put("checks", "\xff", {}), ErrorCode::invalid));
  EXPECT(client.remove("checks", "absent") == false);
}

void check_conditions(Client& client) {
  const auto first = client.put("checks", "guarded", random_bytes(2, 10), {.if_none_match = "*"});
  EXPECT(first.has_value());
  EXPECT(failed_with(client.put("checks", "guarded", {}, {.if_none_match = "*"}),
                     ErrorCode::precondition_failed));
  const auto second =
      client.put("checks", "guarded", random_bytes(3, 10), {.if_match = first->etag});
  EXPECT(second.has_value() && second->etag != first->etag);
  EXPECT(failed_with(client.put("checks", "guarded", {}, {.if_match = first->etag}),
                     ErrorCode::precondition_failed));
  EXPECT(client.get("checks", "guarded")->bytes == random_bytes(3, 10));
}

void check_listing(Client& client) {
  const char* const keys[] = {"list/a", "list/a/b", "list/a/c", "list/b/", "list/b/x/y", "list/c"};
  for (const char* key : keys) EXPECT(client.put("checks", key, {}).has_value());
  std::vector<std::string> found;
  turbine::client::ListOptions options{.prefix = "list/", .count_max = 2};
  for (;;) {
    const auto page = client.list("checks", options);
    EXPECT(page.has_value() && page->objects.size() <= 2);
    for (const auto& object : page->objects) found.push_back(object.key);
    if (!page->truncated) break;
    options.start_after = page->next_start_after;
  }
  EXPECT(std::ranges::equal(found, keys));
  const auto level = client.list("checks", {.prefix = "list/", .delimiter = "/"});
  EXPECT(level.has_value() && level->objects.size() == 2);
  EXPECT(level->prefixes == std::vector<std::string>{"list/a/", "list/b/"});
}

void check_threads(Client& client) {
  constexpr int kThreads = 8, kRounds = 12;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&client, thread] {
      for (int round = 0; round < kRounds; ++round) {
        const std::string key = "t/" + std::to_string(thread) + "/" + std::to_string(round % 3);
        const Bytes bytes =
            random_bytes(thread * 1000 + round, (size_t{1} << (2 * round)) % 700'001);
        EXPECT(client.put("checks", key, bytes).has_value());
        const auto got = client.get("checks", key);
        EXPECT(got.has_value() && got->bytes == bytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void check_endpoints(turbine::client::Endpoint endpoint) {
  using std::chrono::milliseconds;
  turbine::client::ConnectOptions soon{.timeout = milliseconds(300)};
  EXPECT(failed_with(turbine::client::local_endpoint("/nonexistent"), ErrorCode::not_found));
  endpoint.tls.ca_file = "/nonexistent";
  EXPECT(failed_with(Client::connect(endpoint, soon), ErrorCode::invalid));
  endpoint.tls = {"/nonexistent", "/nonexistent", "/nonexistent"};
  EXPECT(failed_with(Client::connect(endpoint, soon), ErrorCode::not_found));
  endpoint.tls = {};
  endpoint.secret += "x";
  const auto refused = Client::connect(endpoint, soon);
  EXPECT(!refused && (refused.error().code == ErrorCode::unavailable ||
                      refused.error().code == ErrorCode::denied));
  endpoint.manager = "unix:/nonexistent/manager.sock";
  EXPECT(failed_with(Client::connect(endpoint, soon), ErrorCode::unavailable));
}

}  // namespace

int main(int, char** argv) {
  const auto endpoint = turbine::client::local_endpoint(argv[1]);
  EXPECT(endpoint.has_value());
  auto connected = Client::connect(*endpoint, {.log_level = "error"});
  EXPECT(connected.has_value());
  Client client = std::move(*connected);
  EXPECT(client.create_bucket("checks").has_value());
  check_ranges(client);
  check_errors(client);
  check_conditions(client);
  check_listing(client);
  check_threads(client);
  check_endpoints(*endpoint);
  client = Client(std::move(*Client::connect(*endpoint)));  // the old connection ends
  EXPECT(client.head("checks", "ranges").has_value());
  std::cout << "ok\n";
  return 0;
}
