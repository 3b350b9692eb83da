// Files of megabytes, from their beginning to their end, 1 MiB at a time: each connection its own.
#include <unistd.h>

#include "nfs_workload.hpp"

namespace turbine::bench {
namespace {

NfsSent sent(int code) {
  return code == 0 ? NfsSent::sent : NfsSent::failed;
}

class SequentialRead : public NfsWorkload {
 public:
  explicit SequentialRead(const NfsLoadOptions& options) : options_(options) {}

  Result<> prepare(NfsTree& tree) override {
    const NfsHandle top = TRY(tree.make_directory(tree.root(), options_.directory));
    for (uint64_t i = 0; i < options_.connections; ++i) {
      files_.push_back(TRY(tree.make_data_file(
          top, fmt::format("big-{}-{}", options_.file_bytes, i), options_.file_bytes)));
    }
    next_.resize(files_.size());
    return {};
  }
  NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) override {
    uint64_t& next = next_[slot.connection];
    slot.operation = "read";
    slot.offset = next;
    next = next + kTransferBytes < options_.file_bytes ? next + kTransferBytes : 0;
    READ3args args{fh_of(files_[slot.connection]), slot.offset, kTransferBytes};
    return sent(rpc_nfs3_read_async(rpc, callback, &args, context));
  }
  NfsAnswer take(NfsSlot& slot, void* answer) override {
    const auto& result = *static_cast<READ3res*>(answer);
    if (result.status != NFS3_OK) return {.status = result.status};
    const READ3resok& ok = result.READ3res_u.resok;
    return {.bytes = ok.data.data_len,
            .wrong_data = ok.data.data_len != kTransferBytes ||
                          !right_data(slot.offset, ok.data.data_val, ok.data.data_len)};
  }

 private:
  NfsLoadOptions options_;
  std::vector<NfsHandle> files_;
  std::vector<uint64_t> next_;
};

/// CREATE, WRITEs (unstable) with all slots at once, COMMIT when all are answered; the next file.
class SequentialWrite : public NfsWorkload {
 public:
  explicit SequentialWrite(const NfsLoadOptions& options) : options_(options) {}

  Result<> prepare(NfsTree& tree) override {
    const NfsHandle top = TRY(tree.make_directory(tree.root(), options_.directory));
    directory_ = TRY(tree.make_directory(top, fmt::format("written-{}", ::getpid())));
    files_.resize(options_.connections);
    return {};
  }

  NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) override {
    File& file = files_[slot.connection];
    if (file.step == Step::begin) return create(rpc, slot, file, callback, context);
    if (file.step == Step::writing && file.next < options_.file_bytes)
      return write(rpc, slot, file, callback, context);
    if (file.step == Step::writing && file.in_flight == 0)
      return commit(rpc, slot, file, callback, context);
    return NfsSent::waiting;
  }

  NfsAnswer take(NfsSlot& slot, void* answer) override {
    File& file = files_[slot.connection];
    const std::string_view operation = slot.operation;
    if (operation == "create") return take_create(file, *static_cast<CREATE3res*>(answer));
    if (operation == "write") return take_write(file, *static_cast<WRITE3res*>(answer));
    const auto& result = *static_cast<COMMIT3res*>(answer);
    NfsAnswer taken{.status = result.status};
    if (result.status == NFS3_OK && file.has_verifier)
      taken.wrong_data = !std::equal(file.verifier, file.verifier + NFS3_WRITEVERFSIZE,
                                     result.COMMIT3res_u.resok.verf);
    file = {};
    return taken;
  }

  Result<> clean(NfsTree& tree) override {
    for (const std::string& name : names_) TRY(tree.remove_file(directory_, name));
    const NfsHandle top = TRY(tree.look_up(tree.root(), options_.directory));
    return tree.remove_directory(top, fmt::format("written-{}", ::getpid()));
  }

 private:
  enum class Step { begin, creating, writing, committing };
  struct File {
    Step step = Step::begin;
    NfsHandle handle;
    uint64_t next = 0, in_flight = 0;
    bool has_verifier = false;
    writeverf3 verifier = {};
  };

  NfsSent create(rpc_context* rpc, NfsSlot& slot, File& file, rpc_cb callback, void* context) {
    file.step = Step::creating;
    slot.operation = "create";
    names_.push_back(fmt::format("file-{}", names_.size()));
    CREATE3args args{};
    args.where = where_of(directory_, names_.back());
    args.how.mode = UNCHECKED;
    args.how.createhow3_u.obj_attributes.mode.set_it = 1;
    args.how.createhow3_u.obj_attributes.mode.set_mode3_u.mode = 0644;
    return sent(rpc_nfs3_create_async(rpc, callback, &args, context));
  }

  NfsSent write(rpc_context* rpc, NfsSlot& slot, File& file, rpc_cb callback, void* context) {
    slot.operation = "write";
    slot.offset = file.next;
    file.next += kTransferBytes;
    ++file.in_flight;
    std::vector<char> data = data_at(slot.offset, kTransferBytes);
    WRITE3args args{};
    args.file = fh_of(file.handle);
    args.offset = slot.offset;
    args.count = args.data.data_len = kTransferBytes;
    args.data.data_val = data.data();
    args.stable = UNSTABLE;
    return sent(rpc_nfs3_write_async(rpc, callback, &args, context));
  }

  NfsSent commit(rpc_context* rpc, NfsSlot& slot, File& file, rpc_cb callback, void* context) {
    file.step = Step::committing;
    slot.operation = "commit";
    COMMIT3args args{fh_of(file.handle), 0, 0};
    return sent(rpc_nfs3_commit_async(rpc, callback, &args, context));
  }

  static NfsAnswer take_create(File& file, const CREATE3res& result) {
    const bool whole = result.status == NFS3_OK && result.CREATE3res_u.resok.obj.handle_follows;
    file.step = whole ? Step::writing : Step::begin;
    if (whole) file.handle = handle_of(result.CREATE3res_u.resok.obj.post_op_fh3_u.handle);
    return {.status = result.status, .wrong_data = !whole};
  }

  static NfsAnswer take_write(File& file, const WRITE3res& result) {
    --file.in_flight;
    if (result.status != NFS3_OK) return {.status = result.status};
    const WRITE3resok& ok = result.WRITE3res_u.resok;
    std::copy_n(ok.verf, NFS3_WRITEVERFSIZE, file.verifier);
    file.has_verifier = ok.committed == UNSTABLE;
    return {.bytes = ok.count, .wrong_data = ok.count != kTransferBytes};
  }

  NfsLoadOptions options_;
  NfsHandle directory_;
  std::vector<std::string> names_;
  std::vector<File> files_;
};

}  // namespace

std::unique_ptr<NfsWorkload> make_sequential_read(const NfsLoadOptions& options) {
  return std::make_unique<SequentialRead>(options);
}

std::unique_ptr<NfsWorkload> make_sequential_write(const NfsLoadOptions& options) {
  return std::make_unique<SequentialWrite>(options);
}

}  // namespace turbine::bench
