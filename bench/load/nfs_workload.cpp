#include "nfs_workload.hpp"

#include "base/rng.hpp"

namespace turbine::bench {
namespace {

NfsSent sent(int code) {
  return code == 0 ? NfsSent::sent : NfsSent::failed;
}

class NullCalls : public NfsWorkload {
 public:
  Result<> prepare(NfsTree&) override { return {}; }
  NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) override {
    slot.operation = "null";
    return sent(rpc_nfs3_null_async(rpc, callback, context));
  }
  NfsAnswer take(NfsSlot&, void*) override { return {}; }
};

/// Calls that change nothing, on small files of one directory.
class SmallFiles : public NfsWorkload {
 public:
  explicit SmallFiles(const NfsLoadOptions& options) : options_(options), dice_(1) {}

  Result<> prepare(NfsTree& tree) override {
    const NfsHandle top = TRY(tree.make_directory(tree.root(), options_.directory));
    directory_ = TRY(tree.make_directory(top, fmt::format("small-{}", options_.files)));
    for (uint64_t i = 0; i < options_.files; ++i) {
      names_.push_back(fmt::format("file-{:07}", i));
      files_.push_back(TRY(tree.make_data_file(directory_, names_.back(), kBlockBytes)));
    }
    return {};
  }

 protected:
  uint64_t any() { return dice_.below(files_.size()); }

  NfsLoadOptions options_;
  Rng dice_;
  NfsHandle directory_;
  std::vector<std::string> names_;
  std::vector<NfsHandle> files_;
};

class Getattr : public SmallFiles {
 public:
  using SmallFiles::SmallFiles;
  NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) override {
    slot.operation = "getattr";
    GETATTR3args args{fh_of(files_[any()])};
    return sent(rpc_nfs3_getattr_async(rpc, callback, &args, context));
  }
  NfsAnswer take(NfsSlot&, void* answer) override {
    const auto& result = *static_cast<GETATTR3res*>(answer);
    return {.status = result.status,
            .wrong_data = result.GETATTR3res_u.resok.obj_attributes.size != kBlockBytes};
  }
};

class Lookup : public SmallFiles {
 public:
  using SmallFiles::SmallFiles;
  NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) override {
    slot.operation = "lookup";
    LOOKUP3args args{where_of(directory_, names_[any()])};
    return sent(rpc_nfs3_lookup_async(rpc, callback, &args, context));
  }
  NfsAnswer take(NfsSlot&, void* answer) override {
    return {.status = static_cast<LOOKUP3res*>(answer)->status};
  }
};

class Access : public SmallFiles {
 public:
  using SmallFiles::SmallFiles;
  NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) override {
    slot.operation = "access";
    ACCESS3args args{fh_of(files_[any()]), ACCESS3_READ | ACCESS3_MODIFY | ACCESS3_EXECUTE};
    return sent(rpc_nfs3_access_async(rpc, callback, &args, context));
  }
  NfsAnswer take(NfsSlot&, void* answer) override {
    return {.status = static_cast<ACCESS3res*>(answer)->status};
  }
};

/// Each slot walks through the whole directory, again and again.
class Readdirplus : public SmallFiles {
 public:
  using SmallFiles::SmallFiles;
  static constexpr u_int kListBytes = 256 << 10;

  NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) override {
    slot.operation = "readdirplus";
    State& state = states_[{slot.connection, slot.index}];
    READDIRPLUS3args args{};
    args.dir = fh_of(directory_);
    args.cookie = state.cookie;
    std::copy_n(state.verifier, NFS3_COOKIEVERFSIZE, args.cookieverf);
    args.dircount = args.maxcount = kListBytes;
    return sent(rpc_nfs3_readdirplus_async(rpc, callback, &args, context));
  }
  NfsAnswer take(NfsSlot& slot, void* answer) override {
    const auto& result = *static_cast<READDIRPLUS3res*>(answer);
    if (result.status != NFS3_OK) return {.status = result.status};
    const READDIRPLUS3resok& ok = result.READDIRPLUS3res_u.resok;
    State& state = states_[{slot.connection, slot.index}];
    NfsAnswer taken;
    for (const entryplus3* entry = ok.reply.entries; entry; entry = entry->nextentry) {
      ++taken.items;
      state.cookie = entry->cookie;
    }
    state.seen += taken.items;
    std::copy_n(ok.cookieverf, NFS3_COOKIEVERFSIZE, state.verifier);
    if (ok.reply.eof) {
      // With or without . and ..
      taken.wrong_data = state.seen < files_.size() || state.seen > files_.size() + 2;
      state = {};
    }
    return taken;
  }

 private:
  struct State {
    cookie3 cookie = 0;
    cookieverf3 verifier = {};
    uint64_t seen = 0;
  };
  std::map<std::pair<uint64_t, uint64_t>, State> states_;
};

/// Blocks of 4 KiB at random offsets of one file.
class Blocks : public NfsWorkload {
 public:
  explicit Blocks(const NfsLoadOptions& options) : options_(options), dice_(1) {}
  Result<> prepare(NfsTree& tree) override {
    const NfsHandle top = TRY(tree.make_directory(tree.root(), options_.directory));
    file_ = TRY(tree.make_data_file(top, fmt::format("blocks-{}", options_.file_bytes),
                                    options_.file_bytes));
    return {};
  }

 protected:
  uint64_t any_offset() { return dice_.below(options_.file_bytes / kBlockBytes) * kBlockBytes; }
  NfsLoadOptions options_;
  Rng dice_;
  NfsHandle file_;
};

class ReadBlocks : public Blocks {
 public:
  using Blocks::Blocks;
  NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) override {
    slot.operation = "read4k";
    slot.offset = any_offset();
    READ3args args{fh_of(file_), slot.offset, kBlockBytes};
    return sent(rpc_nfs3_read_async(rpc, callback, &args, context));
  }
  NfsAnswer take(NfsSlot& slot, void* answer) override {
    const auto& result = *static_cast<READ3res*>(answer);
    if (result.status != NFS3_OK) return {.status = result.status};
    const READ3resok& ok = result.READ3res_u.resok;
    return {.bytes = ok.data.data_len,
            .wrong_data = ok.data.data_len != kBlockBytes ||
                          !right_data(slot.offset, ok.data.data_val, kBlockBytes)};
  }
};

class WriteBlocks : public Blocks {
 public:
  using Blocks::Blocks;
  NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) override {
    slot.operation = "write4k";
    slot.offset = any_offset();
    std::vector<char> data = data_at(slot.offset, kBlockBytes);
    WRITE3args args{};
    args.file = fh_of(file_);
    args.offset = slot.offset;
    args.count = args.data.data_len = kBlockBytes;
    args.data.data_val = data.data();
    args.stable = FILE_SYNC;
    return sent(rpc_nfs3_write_async(rpc, callback, &args, context));
  }
  NfsAnswer take(NfsSlot&, void* answer) override {
    const auto& result = *static_cast<WRITE3res*>(answer);
    if (result.status != NFS3_OK) return {.status = result.status};
    const WRITE3resok& ok = result.WRITE3res_u.resok;
    return {.bytes = ok.count, .wrong_data = ok.count != kBlockBytes || ok.committed != FILE_SYNC};
  }
};

}  // namespace

std::unique_ptr<NfsWorkload> make_nfs_workload(const NfsLoadOptions& options) {
  const std::string& name = options.workload;
  if (name == "null") return std::make_unique<NullCalls>();
  if (name == "getattr") return std::make_unique<Getattr>(options);
  if (name == "lookup") return std::make_unique<Lookup>(options);
  if (name == "access") return std::make_unique<Access>(options);
  if (name == "readdirplus") return std::make_unique<Readdirplus>(options);
  if (name == "read4k") return std::make_unique<ReadBlocks>(options);
  if (name == "write4k") return std::make_unique<WriteBlocks>(options);
  if (name == "read") return make_sequential_read(options);
  if (name == "write") return make_sequential_write(options);
  if (name == "create" || name == "remove") return make_names_workload(options);
  return nullptr;
}

}  // namespace turbine::bench
