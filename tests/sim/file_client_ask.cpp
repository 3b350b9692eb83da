// FileClient: how things are asked, until they are answered.
#include "sim/file_client_read.hpp"

namespace turbine::sim {
namespace {

using std::chrono::seconds;

/// Of NFS clients, whose addresses make their sessions.
constexpr uint64_t kClientSessionBit = uint64_t{1} << 63;
/// How long a patient client sends a call again, under one request id: replay records live longer.
constexpr auto kSendAgain = seconds(50);
constexpr size_t kObjectWriteBytes = 100'000;

}  // namespace

bool may_ask_again(Errc code) {
  return code == Errc::unavailable || code == Errc::timeout || code == Errc::busy ||
         code == Errc::conflict || code == Errc::closed || code == Errc::wrong_primary ||
         code == Errc::stale_epoch;
}

// --- mutations -------------------------------------------------------------------------------

Task<> FileClient::perform(FileOperation operation) {
  FileTree after = tree_;
  const Errc expected = after.apply(operation);
  const bool by_s3 = operation.kind == Kind::put_object || operation.kind == Kind::delete_object;
  fs::CallContext call;
  call.request = {SessionId(kClientSessionBit | number_), rng_.next() >> 1};
  const std::string text = to_text(operation);
  // An S3 client's next try is another request, which could come before the first one.
  const bool patient = !by_s3 && (calm_ || !rng_.chance(1, 6));
  const TimePoint until = array_.clock.now() + kSendAgain;
  ++counters_.operations;
  bool perhaps_done = false;  // by an earlier try
  for (int tries = 0;; ++tries) {
    if (tries > 0) ++counters_.sent_again;
    Error error{Errc::unavailable, "no gateway runs"};
    if (take_gateway()) {
      array_.trace.note("files {}: {} by {} ...", number_, text, gateway_->name);
      call.received = array_.clock.now();
      auto answer = by_s3 ? co_await ask_objects(operation) : co_await ask(operation, call);
      array_.trace.note("files {}: {} -> {}", number_, text,
                        answer.ok() ? "done" : answer.error().text());
      if (answer.ok() && expected == Errc::ok) {
        co_return co_await end(std::move(operation), std::move(after), *answer);
      }
      if (answer.ok()) {
        complain("{} is done, which should be {}", text, errc_name(expected));
        co_return Result<>{};
      }
      error = answer.error();
      if (error.code == expected && !gateway_->dead) co_return Result<>{};
      if (error.code == Errc::timeout || gateway_->dead) perhaps_done = true;
      const bool excused =
          may_ask_again(error.code) || gateway_->dead || (error.code == Errc::no_space && !calm_);
      if (!excused) {
        complain("{}: {}, should be {}", text, error.text(), errc_name(expected));
        co_return Result<>{};
      }
    }
    const bool over = error.code == Errc::no_space || !patient || array_.clock.now() >= until ||
                      (!calm_ && *stop_);
    if (over) break;
    CO_TRY(co_await pause(1 + static_cast<int>(rng_.below(200))));
  }
  if (calm_) complain("{} is not answered", text);
  if (perhaps_done && expected == Errc::ok) leave_open(operation, std::move(after));
  co_return Result<>{};
}

Task<> FileClient::end(FileOperation operation, FileTree after, std::optional<fs::FileStat> file) {
  std::string old_key;
  if (operation.kind == Kind::rename) {
    const auto moved = tree_.find(operation.directory, operation.name);
    old_key = tree_.key(operation.directory, operation.name);
    if (tree_.node(*moved).is_directory && !tree_.node(*moved).entries.empty()) {
      old_key += "/" + tree_.node(*moved).entries.begin()->first;
    }
  }
  if (file) {
    InodeId id = operation.file;
    if (id == InodeId{}) id = *after.find(operation.directory, operation.name);
    if (FileTree::is_unnamed(id)) {
      after.adopt(id, file->id);
      id = file->id;
    }
    tree_ = std::move(after);
    if (operation.kind != Kind::put_object) {
      check_stat(tree_, id, *file, "the answer to " + to_text(operation));
    }
  } else {
    tree_ = std::move(after);
  }
  // Nobody may find it in its old place, however well he knows the way.
  if (!old_key.empty() && rng_.chance(1, 2)) CO_TRY(co_await look_at_object(std::move(old_key)));
  co_return Result<>{};
}

void FileClient::leave_open(const FileOperation& operation, FileTree after) {
  array_.trace.note("files {}: {}: outcome unknown", number_, to_text(operation));
  ++counters_.unknown;
  open_after_ = std::move(after);
  open_since_ = array_.clock.now();
}

Task<std::optional<fs::FileStat>> FileClient::ask(FileOperation op, fs::CallContext call) {
  fs::Files& files = gateway_->files->files();
  fs::NewFileRequest request;
  request.directory = op.directory;
  request.name = op.name;
  request.attributes.mode = op.mode;
  request.mode = fs::CreateMode::exclusive;
  request.verifier = call.request.sequence;
  fs::NewStat stat;
  std::vector<Buffer> bytes;
  switch (op.kind) {
    case Kind::create:
      co_return CO_TRY(co_await files.create(call, {}, std::move(request))).file;
    case Kind::make_directory:
      co_return CO_TRY(co_await files.make_directory(call, {}, std::move(request))).file;
    case Kind::rename:
      CO_TRY(co_await files.rename(call, {}, op.directory, op.name, op.to, op.to_name));
      co_return std::nullopt;
    case Kind::link:
      co_return CO_TRY(co_await files.link(call, {}, op.file, op.directory, op.name)).file;
    case Kind::remove:
      CO_TRY(co_await files.remove(call, {}, op.directory, op.name));
      co_return std::nullopt;
    case Kind::remove_directory:
      CO_TRY(co_await files.remove_directory(call, {}, op.directory, op.name));
      co_return std::nullopt;
    case Kind::set_mode:
      stat.mode = op.mode;
      co_return CO_TRY(co_await files.set_stat(call, {}, op.file, stat, {})).after;
    case Kind::set_size:
      stat.size = op.size;
      co_return CO_TRY(co_await files.set_stat(call, {}, op.file, stat, {})).after;
    case Kind::write:
      bytes.push_back(Buffer::copy_of(op.bytes));
      co_return CO_TRY(co_await files.write(call, {}, op.file, op.offset, std::move(bytes))).after;
    case Kind::put_object:
    case Kind::delete_object:
      break;
  }
  co_return fail(Errc::unsupported, "no operation of files");
}

Task<std::optional<fs::FileStat>> FileClient::ask_objects(FileOperation op) {
  fs::FileSystem& files = *gateway_->files;
  const std::string key = tree_.key(op.directory, op.name);
  if (op.kind == Kind::delete_object) {
    const bool existed = CO_TRY(co_await files.remove(files.begin(1), kFilesBucket, key, {}));
    if (!existed) co_return fail(Errc::not_found, "there was no object");
    co_return std::nullopt;
  }
  auto writer = CO_TRY(co_await files.create(files.begin(1), kFilesBucket, key, op.bytes.size()));
  const Buffer bytes = Buffer::copy_of(op.bytes);
  for (size_t at = 0; at < bytes.size(); at += kObjectWriteBytes) {
    auto written =
        co_await writer->write(bytes.slice(at, std::min(kObjectWriteBytes, bytes.size() - at)));
    // Nothing is visible before the commit.
    if (written.failed_with(Errc::timeout)) co_return fail(Errc::unavailable, "not written");
    CO_TRY(std::move(written));
  }
  fs::NewObject attributes;
  attributes.etag = fmt::format("{:016x}", op.version);
  const auto info = CO_TRY(co_await writer->commit(std::move(attributes), {}));
  fs::FileStat file;
  file.id = info.inode;
  co_return file;
}

}  // namespace turbine::sim
