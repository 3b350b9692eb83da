#include "nfs/nlm4_support.hpp"

namespace turbine::nfs {
namespace {

constexpr uint32_t kReads = 1, kWrites = 2;

NfsTask<Nlm4ShareResult> share(Request request, Nlm4ShareArgs args) {
  const auto access = static_cast<uint32_t>(args.access), deny = static_cast<uint32_t>(args.mode);
  const NfsFh3 handle = CO_TRY(to_handle(args.fh));
  const bool writes = (access & kWrites) != 0;
  const auto file =
      CO_TRY(co_await (writes ? request.open_to_change(handle) : request.open(handle)));
  fs::FileShare share;
  share.file = file.inode;
  share.owner = to_owner(request, args.caller_name, args.oh, 0);
  share.reads = (access & kReads) != 0;
  share.writes = writes;
  share.deny_reads = (deny & kReads) != 0;
  share.deny_writes = (deny & kWrites) != 0;
  const bool granted = CO_TRY(co_await request.env.locks->locks().share(
      request.mutation(), request.who(file.access), std::move(share)));
  Nlm4ShareResult result;
  if (!granted) result.stat = Nlm4Stats::denied;
  co_return result;
}

}  // namespace

NfsTask<Nlm4ShareResult> nlm4_share(Request request, Nlm4ShareArgs args) {
  Netobj cookie = args.cookie;
  return nlm4_answer(std::move(cookie), share(request, std::move(args)));
}

}  // namespace turbine::nfs
