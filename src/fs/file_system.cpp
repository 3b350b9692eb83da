#include "fs/file_system.hpp"

#include <utility>

#include "base/log.hpp"
#include "fs/array_files.hpp"
#include "fs/buckets.hpp"
#include "fs/core.hpp"
#include "fs/list.hpp"
#include "fs/object_reader.hpp"
#include "fs/object_writer.hpp"
#include "fs/uploads.hpp"

namespace turbine::fs {
namespace {

Task<> beat(CorePtr core, BladeId blade) {
  proto::OpenSessionRequest request;
  request.set_session(core->session.value);
  const auto opened = co_await core->partitions.call_blade<proto::OpenSessionReply>(
      blade, proto::OPEN_SESSION, std::move(request), core->options.session_beat);
  if (!opened.ok()) log::debug("session with blade {}: {}", blade, opened.error().text());
  co_return Result<>{};
}

// One beat at every blade that is alive.
Task<> beat_all(CorePtr core) {
  std::vector<Task<>> beats;
  const cluster::MapPtr map = core->map.get();
  if (map) {
    for (const proto::Blade& blade : map->record().blades()) {
      if (map->alive(BladeId(blade.id()))) beats.push_back(beat(core, BladeId(blade.id())));
    }
  }
  for (auto& result : co_await when_all(std::move(beats))) CO_TRY(std::move(result));
  co_return Result<>{};
}

Task<bool> remove_object(CorePtr core, CallContext call, std::string bucket, std::string key,
                         Conditions conditions) {
  const NamePath path = CO_TRY(split_key(key));
  for (int tries = 0;; ++tries) {
    const Place place = CO_TRY(co_await locate(core, bucket, path));
    if (!place.complete()) {
      if (!conditions.if_match.empty()) {
        co_return fail(Errc::precondition_failed, "no object {} in {}", key, bucket);
      }
      co_return false;
    }
    proto::DeleteFileRequest request;
    request.set_directory(place.directory.value);
    request.set_name(place.file);
    fill_condition(*request.mutable_condition(), conditions);
    request.set_session(core->session.value);
    auto reply = co_await core->partitions.call<proto::DeleteFileReply>(
        place.directory.partition(), proto::DELETE_FILE, std::move(request), {}, call.request,
        core->clock.now());
    if (reply.ok()) co_return reply->body.existed();
    if (!reply.failed_with(Errc::stale)) co_return fail(std::move(reply).error());
    forget(*core, place);
    if (tries >= core->options.stale_retries_max) {
      co_return fail(Errc::unavailable, "{}", reply.error().context);
    }
  }
}

class GatewayFileSystem final : public ArrayFileSystem {
 public:
  explicit GatewayFileSystem(CorePtr core) : core_(std::move(core)), files_(make_files(core_)) {}

  Task<> start() override {
    CO_TRY(co_await beat_all(core_));
    core_->gate.spawn("sessions", keep_sessions());
    co_return Result<>{};
  }
  Task<> stop() override {
    stop_beat_ = true;
    if (beat_sleep_) beat_sleep_->set({});
    core_->discards.stop();
    CO_TRY(co_await core_->gate.close());
    core_->known.clear();
    co_return co_await core_->reader.stop();
  }
  Counters counters() const override {
    return {core_->writer.counters(), core_->reader.counters(), core_->partitions.retries(),
            core_->bindings.size()};
  }

  Files& files() override { return *files_; }

  CallContext begin(uint64_t user) override {
    return {core_->next_request(), core_->clock.now(), user};
  }

  Task<BucketInfo> create_bucket(CallContext call, std::string name) override {
    return fs::create_bucket(core_, call, std::move(name));
  }
  Task<> delete_bucket(CallContext call, std::string name) override {
    return fs::delete_bucket(core_, call, std::move(name));
  }
  Task<BucketInfo> bucket(CallContext, std::string name) override {
    return find_bucket(core_, facts_, std::move(name));
  }
  Task<std::vector<BucketInfo>> list_buckets(CallContext) override {
    return fs::list_buckets(core_, facts_);
  }

  Task<std::vector<BucketUsage>> bucket_usage(CallContext, std::vector<InodeId> buckets) override {
    return fs::bucket_usage(core_, std::move(buckets));
  }
  Task<BucketAttributes> set_bucket_attributes(CallContext call, std::string name,
                                               BucketAttributes attributes) override {
    return fs::set_bucket_attributes(core_, call, std::move(name), attributes);
  }

  Task<ObjectInfo> head(CallContext, std::string bucket, std::string key) override {
    return head_object(core_, std::move(bucket), std::move(key));
  }
  Task<std::unique_ptr<ObjectReader>> open(CallContext, std::string bucket,
                                           std::string key) override {
    return open_object(core_, std::move(bucket), std::move(key));
  }
  Task<std::unique_ptr<ObjectWriter>> create(CallContext call, std::string bucket, std::string key,
                                             std::optional<uint64_t>) override {
    return start_writer(core_, call, {std::move(bucket), std::move(key), {}, 0});
  }
  Task<bool> remove(CallContext call, std::string bucket, std::string key,
                    Conditions conditions) override {
    return remove_object(core_, call, std::move(bucket), std::move(key), std::move(conditions));
  }
  Task<ListResult> list(CallContext, std::string bucket, ListRequest request) override {
    return list_objects(core_, std::move(bucket), std::move(request));
  }

  Task<UploadInfo> create_upload(CallContext call, std::string bucket, std::string key,
                                 NewObject attributes) override {
    return fs::create_upload(core_, call, std::move(bucket), std::move(key), std::move(attributes));
  }
  Task<std::unique_ptr<ObjectWriter>> create_part(CallContext call, std::string bucket,
                                                  std::string key, std::string upload,
                                                  uint32_t number,
                                                  std::optional<uint64_t>) override {
    return start_writer(core_, call,
                        {std::move(bucket), std::move(key), std::move(upload), number});
  }
  Task<ObjectInfo> complete_upload(CallContext call, std::string bucket, std::string key,
                                   std::string upload, std::vector<PartInfo> parts,
                                   Conditions conditions, std::string etag) override {
    return fs::complete_upload(core_, call, std::move(bucket), std::move(key), std::move(upload),
                               std::move(parts), std::move(conditions), std::move(etag));
  }
  Task<> abort_upload(CallContext call, std::string bucket, std::string key,
                      std::string upload) override {
    return fs::abort_upload(core_, call, std::move(bucket), std::move(key), std::move(upload));
  }
  Task<std::vector<PartInfo>> list_parts(CallContext, std::string bucket, std::string key,
                                         std::string upload, uint32_t after, size_t count,
                                         bool* more) override {
    return fs::list_parts(core_, std::move(bucket), std::move(key), std::move(upload), after, count,
                          more);
  }
  Task<std::vector<UploadInfo>> list_uploads(CallContext, std::string bucket, std::string prefix,
                                             std::string key_after, std::string id_after,
                                             size_t count, bool* more) override {
    return fs::list_uploads(core_, std::move(bucket), std::move(prefix), std::move(key_after),
                            std::move(id_after), count, more);
  }

 private:
  // Fails early when there is no such bucket or the key is malformed.
  static Task<std::unique_ptr<ObjectWriter>> start_writer(CorePtr core, CallContext call,
                                                          WriteTarget target) {
    CO_TRY(split_key(target.key));
    CO_TRY(co_await locate(core, target.bucket, {}));
    co_return make_object_writer(core, call, std::move(target));
  }
  Task<> keep_sessions() {
    while (!stop_beat_) {
      beat_sleep_.emplace(core_->clock.executor());
      const TimePoint next = core_->clock.now() + core_->options.session_beat;
      const auto woken = co_await beat_sleep_->wait_until(core_->clock, next);
      if (woken.ok() || stop_beat_) break;
      CO_TRY(co_await beat_all(core_));
    }
    co_return Result<>{};
  }

  CorePtr core_;
  std::unique_ptr<Files> files_;
  BucketFacts facts_;
  bool stop_beat_ = false;
  std::optional<OneShot<>> beat_sleep_;
};

}  // namespace

std::unique_ptr<ArrayFileSystem> make_file_system(Clock& clock, Rng rng, rpc::Transport& transport,
                                                  cluster::MapHolder& map, SessionId session,
                                                  FileSystemOptions options) {
  return std::make_unique<GatewayFileSystem>(
      std::make_shared<Core>(clock, rng, transport, map, session, options));
}

}  // namespace turbine::fs
