// CREATE and REMOVE of empty files in one directory. What a load of creations made, and what one of
// removals needs, is removed and made by the opposite load.
#include <unistd.h>

#include "nfs_runner.hpp"
#include "nfs_workload.hpp"

namespace turbine::bench {
namespace {

class Names : public NfsWorkload {
 public:
  /// Removes instead of creating; `count` bounds the names, 0 does not.
  Names(const NfsLoadOptions& options, bool removes, uint64_t count)
      : options_(options), removes_(removes), count_(count) {}

  Result<> prepare(NfsTree& tree) override {
    const NfsHandle top = TRY(tree.make_directory(tree.root(), options_.directory));
    directory_ = TRY(tree.make_directory(top, directory_name()));
    if (removes_ && !filled_elsewhere_) TRY(run_other(false, count_));
    return {};
  }

  NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) override {
    if (count_ > 0 && next_ >= count_) return NfsSent::finished;
    slot.name = fmt::format("name-{:08}", next_++);
    slot.operation = removes_ ? "remove" : "create";
    if (removes_) {
      REMOVE3args args{where_of(directory_, slot.name)};
      const int code = rpc_nfs3_remove_async(rpc, callback, &args, context);
      return code == 0 ? NfsSent::sent : NfsSent::failed;
    }
    CREATE3args args{};
    args.where = where_of(directory_, slot.name);
    args.how.mode = UNCHECKED;
    args.how.createhow3_u.obj_attributes.mode.set_it = 1;
    args.how.createhow3_u.obj_attributes.mode.set_mode3_u.mode = 0644;
    const int code = rpc_nfs3_create_async(rpc, callback, &args, context);
    return code == 0 ? NfsSent::sent : NfsSent::failed;
  }

  NfsAnswer take(NfsSlot&, void* answer) override {
    if (removes_) return {.status = static_cast<REMOVE3res*>(answer)->status};
    const auto& result = *static_cast<CREATE3res*>(answer);
    return {
        .status = result.status,
        .wrong_data = result.status == NFS3_OK && !result.CREATE3res_u.resok.obj.handle_follows};
  }

  Result<> clean(NfsTree& tree) override {
    if (filled_elsewhere_) return {};
    if (!removes_) TRY(run_other(true, next_));
    if (removes_ && next_ < count_) return {};  // time was up; the rest stays
    const NfsHandle top = TRY(tree.look_up(tree.root(), options_.directory));
    return tree.remove_directory(top, directory_name());
  }

 private:
  std::string directory_name() const { return fmt::format("names-{}", ::getpid()); }

  Result<> run_other(bool removes, uint64_t count) {
    if (count == 0) return {};
    NfsLoadOptions options = options_;
    options.seconds = options.warmup_seconds = 0;
    Names other(options, removes, count);
    other.filled_elsewhere_ = true;
    other.directory_ = directory_;
    CpuWatch nobody({});
    const NfsLoadResult result = TRY(run_nfs_load(options_.target, options, other, nobody));
    if (result.errors() > 0) return fail(Errc::io, "{} of {} names failed", result.errors(), count);
    return {};
  }

  NfsLoadOptions options_;
  bool removes_, filled_elsewhere_ = false;
  uint64_t count_, next_ = 0;
  NfsHandle directory_;
};

}  // namespace

std::unique_ptr<NfsWorkload> make_names_workload(const NfsLoadOptions& options) {
  const bool removes = options.workload == "remove";
  return std::make_unique<Names>(options, removes, removes ? options.files : 0);
}

}  // namespace turbine::bench
