// An example of turbine/client.hpp: a small tool over the buckets and objects of a local array.
//
//   object_tool DIR buckets | mb BUCKET | rb BUCKET | ls BUCKET [PREFIX]
//   object_tool DIR put BUCKET KEY < file | get BUCKET KEY [OFFSET LENGTH] > file
//   object_tool DIR head BUCKET KEY | rm BUCKET KEY
//
// Exit codes: 0 ok, 1 failure (said on stderr as `code: message`), 2 usage.
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <turbine/client.hpp>

#if defined(BOOST_VERSION) || defined(BOOST_ASIO_VERSION) || defined(GOOGLE_PROTOBUF_VERSION) || \
    defined(FMT_VERSION)
#error "turbine/client.hpp must not bring other libraries along"
#endif

namespace {

using turbine::client::Client;
using turbine::client::Error;
template <class T>
using Result = turbine::client::Result<T>;

int report(const Error& error) {
  std::cerr << to_string(error.code) << ": " << error.message << "\n";
  return 1;
}

int usage() {
  std::cerr << "usage: object_tool DIR buckets|mb|rb|ls|put|get|head|rm [BUCKET [KEY …]]\n";
  return 2;
}

int show_buckets(Client& client) {
  const auto buckets = client.list_buckets();
  if (!buckets) return report(buckets.error());
  for (const auto& bucket : *buckets) std::cout << bucket.name << "\n";
  return 0;
}

int list(Client& client, const std::string& bucket, const std::string& prefix) {
  turbine::client::ListOptions options;
  options.prefix = prefix;
  for (;;) {
    const auto page = client.list(bucket, options);
    if (!page) return report(page.error());
    for (const auto& object : page->objects) std::cout << object.size << " " << object.key << "\n";
    if (!page->truncated) return 0;
    options.start_after = page->next_start_after;
  }
}

int put(Client& client, const std::string& bucket, const std::string& key) {
  const std::string bytes{std::istreambuf_iterator<char>(std::cin), {}};
  turbine::client::PutOptions options;
  options.metadata = {{"made-by", "object_tool"}};
  const auto info = client.put(bucket, key, std::as_bytes(std::span(bytes)), options);
  if (!info) return report(info.error());
  std::cout << info->etag << "\n";
  return 0;
}

int get(Client& client, const std::string& bucket, const std::string& key,
        turbine::client::ByteRange range) {
  const auto object = client.get(bucket, key, range);
  if (!object) return report(object.error());
  const size_t count = object->bytes.size();
  return std::fwrite(object->bytes.data(), 1, count, stdout) == count ? 0 : 1;
}

int head(Client& client, const std::string& bucket, const std::string& key) {
  const auto info = client.head(bucket, key);
  if (!info) return report(info.error());
  std::cout << "size " << info->size << "\netag " << info->etag << "\ntype " << info->content_type
            << "\n";
  for (const auto& [name, value] : info->metadata)
    std::cout << "meta " << name << "=" << value << "\n";
  return 0;
}

int remove(Client& client, const std::string& bucket, const std::string& key) {
  const auto existed = client.remove(bucket, key);
  if (!existed) return report(existed.error());
  std::cout << (*existed ? "removed\n" : "was not there\n");
  return 0;
}

int finish(const Result<void>& result) {
  return result ? 0 : report(result.error());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto word = [&](size_t i) { return i < words.size() ? words[i] : std::string(); };
  if (words.size() < 2) return usage();
  const auto endpoint = turbine::client::local_endpoint(words[0]);
  if (!endpoint) return report(endpoint.error());
  auto client = Client::connect(*endpoint);
  if (!client) return report(client.error());

  const std::string& command = words[1];
  if (command == "buckets") return show_buckets(*client);
  if (words.size() < 3) return usage();
  if (command == "mb") return finish(client->create_bucket(words[2]));
  if (command == "rb") return finish(client->delete_bucket(words[2]));
  if (command == "ls") return list(*client, words[2], word(3));
  if (words.size() < 4) return usage();
  if (command == "put") return put(*client, words[2], words[3]);
  if (command == "head") return head(*client, words[2], words[3]);
  if (command == "rm") return remove(*client, words[2], words[3]);
  if (command != "get") return usage();
  turbine::client::ByteRange range;
  if (words.size() == 6) range = {std::stoull(words[4]), std::stoull(words[5])};
  return get(*client, words[2], words[3], range);
}
