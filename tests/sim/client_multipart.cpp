// Client: multipart uploads, with retries of parts and of the completion.
#include "sim/client.hpp"

namespace turbine::sim {

Task<> Client::multipart_object() {
  const std::string key = some_key();
  trace().note("client {}: upload to '{}' by {} ...", number_, key, gateway_->name);
  const auto upload = co_await files().create_upload(files().begin(1), kBucket, key, {});
  if (!upload.ok()) {
    if (!excused(upload.error())) {
      trace().complain("client {}: upload to '{}': {}", number_, key, upload.error().text());
    }
    co_return Result<>{};
  }
  std::vector<fs::PartInfo> parts;
  std::vector<Buffer> contents;
  bool late = false;  // a part whose outcome is unknown may come later than its successor
  const Result<> put = co_await put_parts(key, upload->id, &parts, &contents, &late);
  if (gateway_->dead) co_return Result<>{};
  if (put.ok() && rng_.chance(4, 5)) {
    co_return co_await complete(key, upload->id, std::move(parts), std::move(contents), late);
  }
  const auto gone = co_await files().abort_upload(files().begin(1), kBucket, key, upload->id);
  trace().note("client {}: abort of '{}' -> {}", number_, key,
               gone.ok() ? "done" : gone.error().text());
  if (!gone.ok() && !excused(gone.error())) {
    trace().complain("client {}: abort of '{}': {}", number_, key, gone.error().text());
  }
  bool more = false;
  if (gone.ok()) {
    const auto listed =
        co_await files().list_parts(files().begin(1), kBucket, key, upload->id, 0, 10, &more);
    if (listed.ok()) trace().complain("client {}: '{}' was aborted, but is there", number_, key);
  }
  co_return Result<>{};
}

Task<> Client::put_parts(std::string key, std::string upload, std::vector<fs::PartInfo>* parts,
                         std::vector<Buffer>* contents, bool* late) {
  constexpr int kTries = 3;
  const uint64_t count = 1 + rng_.below(4);
  for (uint32_t number = 1; number <= count; ++number) {
    Result<> put;
    for (int tries = 0; tries < kTries; ++tries) {
      // Other bytes each time: the last part that was acknowledged counts.
      const Buffer data =
          random_bytes(rng_, rng_.chance(1, 4) ? rng_.below(600'000) : rng_.below(30'000));
      fs::PartInfo part;
      part.number = number * 3;
      put = co_await put_part(key, upload, &part, data, late);
      if (gateway_->dead) co_return Result<>{};
      if (!put.ok()) continue;
      const bool once_more = tries + 1 < kTries && rng_.chance(1, 10);
      if (once_more) continue;
      parts->push_back(std::move(part));
      contents->push_back(data);
      break;
    }
    if (!put.ok()) co_return put;
  }
  co_return Result<>{};
}

Task<> Client::write_part(std::string key, std::string upload, fs::PartInfo part, Buffer data) {
  const auto writer = CO_TRY(co_await files().create_part(files().begin(1), kBucket, key, upload,
                                                          part.number, std::nullopt));
  CO_TRY(co_await writer->write(std::move(data)));
  fs::NewObject attributes;
  attributes.etag = part.etag;
  CO_TRY(co_await writer->commit(std::move(attributes), {}));
  co_return Result<>{};
}

Task<> Client::put_part(std::string key, std::string upload, fs::PartInfo* part, Buffer data,
                        bool* late) {
  part->etag = fmt::format("part-{:x}", rng_.next());
  part->size = data.size();
  const Result<> done = co_await write_part(key, upload, *part, data);
  if (done.failed_with(Errc::timeout)) *late = true;
  trace().note("client {}: part {} of '{}', {} B -> {}", number_, part->number, key, data.size(),
               done.ok() ? "done" : done.error().text());
  if (!done.ok() && !excused(done.error())) {
    trace().complain("client {}: part of '{}': {}", number_, key, done.error().text());
  }
  co_return done;
}

Task<> Client::complete(std::string key, std::string upload, std::vector<fs::PartInfo> parts,
                        std::vector<Buffer> contents, bool late) {
  const Version version = world_.contents.add(std::move(contents));
  Operation operation = begin(fmt::format("complete '{}' v{} {} B of {} parts", key, version,
                                          world_.contents.size(version), parts.size()));
  operation.writes = true;
  operation.writes_version = version;
  const fs::CallContext call = files().begin(1);
  auto info = co_await files().complete_upload(call, kBucket, key, upload, parts, {},
                                               Contents::etag(version));
  bool unknown = info.failed_with(Errc::timeout);
  for (int tries = 0; tries < 3 && unknown && !info.ok() && !gateway_->dead; ++tries) {
    info = co_await files().complete_upload(call, kBucket, key, upload, parts, {},
                                            Contents::etag(version));
  }
  if (info.ok()) {
    end(key, std::move(operation), "done");
    co_return Result<>{};
  }
  Error error = info.error();
  if (unknown) error.code = Errc::timeout;  // an earlier try may have done it
  if (late && error.code == Errc::invalid) error.code = Errc::unavailable;
  end_with_error(key, std::move(operation), error, true);
  co_return Result<>{};
}

}  // namespace turbine::sim
