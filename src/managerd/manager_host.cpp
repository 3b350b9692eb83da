#include "managerd/manager_host.hpp"

#include "base/log.hpp"
#include "cluster/array_records.hpp"
#include "managerd/open_store.hpp"

namespace turbine::managerd {
namespace {

// A blade's call to a manager that vanished takes a second to time out, and so may the next.
constexpr auto kFindTime = std::chrono::seconds(3);

}  // namespace

ManagerHost::ManagerHost(io::Reactor& reactor, const ManagerConfig& config,
                         cluster::ManagerOptions options)
    : reactor_(reactor),
      config_(config),
      options_(std::move(options)),
      gate_(reactor.executor()),
      wake_(reactor.executor()) {}

Result<> ManagerHost::open() {
  OpenedStore opened = TRY(open_store(reactor_, config_));
  store_ = std::move(opened.store);
  etcd_ = opened.etcd;
  return {};
}

Task<> ManagerHost::start() {
  if (etcd_ == nullptr) {
    leading_ = 0;
    co_return co_await begin(0);
  }
  Result<> reached = co_await etcd_->start();
  if (!reached.ok()) {
    co_return fail(std::move(reached).error().within(
        fmt::format("the cluster store {}", config_.cluster_store)));
  }
  etcd::ElectionOptions options;
  options.key = cluster::kLeaderKey;
  options.name = config_.rpc_address;
  election_.emplace(*etcd_, reactor_.clock(), options);
  const auto tell = [this](std::optional<uint64_t> revision) {
    leading_ = revision;
    wake_.notify_all();
  };
  election_->start([tell](uint64_t revision) { tell(revision); }, [tell] { tell(std::nullopt); });
  gate_.spawn("follow the election", follow_election());
  co_return Result<>{};
}

Task<> ManagerHost::stop() {
  stopping_ = true;
  wake_.notify_all();
  if (election_) CO_TRY(co_await election_->stop());
  if (etcd_ != nullptr) CO_TRY(co_await etcd_->stop());  // ends what still waits for it
  leading_.reset();
  CO_TRY(co_await gate_.close());
  if (term_ && !ended_) CO_TRY(co_await end(term_));
  co_return Result<>{};
}

Task<> ManagerHost::follow_election() {
  while (!stopping_) {
    const uint64_t serving = term_ ? term_->revision : 0;
    if (leading_ && *leading_ != serving) {
      const Result<> begun = co_await begin(*leading_);
      if (begun.ok()) continue;
      log::error("this manager can't lead: {}", begun.error().text());
      election_->step_down();
    } else if (!leading_ && term_ && !ended_) {
      ended_ = true;
      gate_.spawn("former manager", end(term_));
      continue;
    }
    CO_TRY(co_await wake_.wait());
  }
  co_return Result<>{};
}

Task<> ManagerHost::begin(uint64_t revision) {
  auto term = std::make_shared<Term>();
  term->revision = revision;
  cluster::ClusterStore* store = store_.get();
  cluster::ManagerOptions options = options_;
  if (etcd_ != nullptr) {
    term->fenced.emplace(*store_, cluster::kLeaderKey, revision,
                         [this] { election_->step_down(); });
    store = &*term->fenced;
    options.find_time = kFindTime;
  }
  term->manager.emplace(*store, reactor_.clock(), options);
  if (Result<> started = co_await term->manager->start(); !started.ok()) {
    CO_TRY(co_await term->manager->stop());
    co_return started;
  }
  const std::string id = term->manager->map()->record().array_id();
  if (id != config_.array_id) {
    CO_TRY(co_await term->manager->stop());
    co_return fail(Errc::denied, "{} is the store of array {}, the configuration is for array {}",
                   etcd_ != nullptr ? config_.cluster_store : config_.directory, id,
                   config_.array_id);
  }
  term->manager->serve(term->dispatcher);
  if (term_ && !ended_) gate_.spawn("former manager", end(term_));
  term_ = std::move(term);
  ended_ = false;
  co_return Result<>{};
}

Task<> ManagerHost::end(std::shared_ptr<Term> term) {
  co_return co_await term->manager->stop();
}

Task<rpc::Reply> ManagerHost::answer(std::shared_ptr<Term> term, rpc::Request request) {
  co_return co_await term->dispatcher.dispatch(std::move(request));
}

Task<rpc::Reply> ManagerHost::dispatch(rpc::Request request) {
  if (const auto why = standby()) co_return fail(Errc::unavailable, "{}", *why);
  co_return co_await answer(term_, std::move(request));
}

std::shared_ptr<cluster::Manager> ManagerHost::manager() const {
  if (!term_) return nullptr;
  return {term_, &*term_->manager};
}

std::optional<std::string> ManagerHost::standby() const {
  if (leading_ && term_ && term_->revision == *leading_) return std::nullopt;
  const std::string leader = election_ ? election_->leader() : "";
  if (leader.empty())
    return "no manager leads at the moment: an election is on, or the cluster "
           "store does not answer (the manager's log says)";
  if (leader == config_.rpc_address) return "this manager leads, but has not loaded the map yet";
  return fmt::format("this manager does not lead, the one at {} does", leader);
}

}  // namespace turbine::managerd
