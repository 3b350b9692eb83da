// Image: the committed state of one partition, and how log entries change it.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "journal/journal.hpp"
#include "kv/kv.hpp"
#include "meta/file_locks.hpp"
#include "meta/keys.hpp"
#include "meta/records.hpp"
#include "meta/stripe_ranges.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

// ChangeInodeMutation's times: that of its entry. (0 is 1970, which a file may have.)
inline constexpr int64_t kTimeOfEntry = std::numeric_limits<int64_t>::min();
inline constexpr uint64_t kDestageBytesMin = 1024;  // smaller data stays inline for ever
inline constexpr uint64_t kCountedBytesMin = 4096;  // files whose bytes the statistics count
inline constexpr uint64_t kInlineRunBytes = uint64_t{64} * 1024;
inline constexpr uint32_t kReleaseAtOnce = 16;  // content records freed within one entry

/// Committed state lives in the Kv; what is asked all the time is mirrored here. apply() is a pure
/// function of that state and the entry: replay after a crash gives the same bytes. One reactor
/// thread. After apply() the changes are visible but NOT durable in the Kv; the journal holds the
/// entry until a Kv flush.
class Image {
 public:
  Image(kv::Kv& kv, PartitionId id, uint8_t generation = 0);

  /// Reads the state and the mirrors.
  Result<> load();
  /// Files around the entry, by inode; of mutations that say so.
  using Observed = std::map<InodeId, proto::InodeChange>;
  /// `lsn` must follow applied_lsn(). A failure leaves the partition unusable.
  Result<> apply(const proto::LogEntry& entry, Lsn lsn, Term term, journal::Position position,
                 Observed* observed = nullptr);

  PartitionId id() const { return id_; }
  kv::Kv& kv() const { return kv_; }
  const Keys& keys() const { return keys_; }
  const proto::PartitionState& state() const { return state_; }
  Lsn applied_lsn() const { return Lsn(state_.applied_lsn()); }
  Term applied_term() const { return Term(state_.applied_term()); }
  StripeRanges& ranges() { return ranges_; }
  const StripeRanges& ranges() const { return ranges_; }
  /// By their Kv keys.
  const std::map<std::string, proto::Intent>& intents() const { return intents_; }
  const std::map<std::string, proto::Decision>& decisions() const { return decisions_; }
  /// What buckets use here, and the quotas of those that are at home here, by their inodes.
  const std::map<uint64_t, proto::BucketUsage>& usage() const { return usage_; }
  const std::map<uint64_t, proto::BucketQuotaState>& quotas() const { return quotas_; }
  /// Generation of the quota that changes of what `bucket` uses here are charged to; 0: of none.
  uint64_t charged_to(uint64_t bucket) const;
  const std::map<uint64_t, uint64_t>& charged() const { return charged_; }
  static bool is_counted(const proto::BucketQuotaState& quota, PartitionId partition);
  /// The bucket of an answered request.
  std::optional<uint64_t> replay_bucket_of(RequestId id) const;
  std::optional<uint64_t> oldest_replay_bucket() const;

  /// Test only, a planted bug: swaps apply without comparing versions.
  bool swap_unconditionally = false;

 private:
  struct Step {
    Changes& changes;
    uint64_t lsn;
    int64_t time_ns;
    Observed* observed;
  };
  Result<> apply_mutation(Step& step, const proto::Mutation& mutation);

  Result<> put_file(Step& step, const proto::PutFileMutation& m);
  Result<> remove_file(Step& step, const proto::RemoveFileMutation& m);
  Result<> link_directory(Step& step, const proto::LinkDirectoryMutation& m);
  Result<> unlink_directory(Step& step, const proto::UnlinkDirectoryMutation& m);
  Result<> put_inode(Step& step, const proto::PutInodeMutation& m);
  Result<> remove_inode(Step& step, InodeId id);
  Result<> adopt_hidden(Step& step, InodeId id);
  Result<> set_settings(Step& step, const proto::SetSettingsMutation& m);
  Result<> remove_upload(Step& step, const proto::UploadRef& m);
  Result<> put_part(Step& step, const proto::PutPartMutation& m);
  Result<> change_links(Step& step, const proto::ChangeLinksMutation& m);
  Result<> set_parent(Step& step, const proto::SetParentMutation& m);
  Result<> replace_file(Step& step, const proto::ReplaceFileMutation& m);
  Result<> link_file(Step& step, const proto::LinkFileMutation& m);
  Result<> unlink_file(Step& step, const proto::UnlinkFileMutation& m);
  Result<> rename_file(Step& step, const proto::RenameFileMutation& m);
  Result<> promote_file(Step& step, const proto::PromoteFileMutation& m);
  Result<> drop_cookies(Step& step, int64_t before_ns);
  struct DirectoryChange {
    int entries = 0, directories = 0;
    bool make_implicit = false;
    bool keep = false;      // an implicit directory stays when this was its last entry
    bool new_name = false;  // wants a cookie
  };
  Result<uint64_t> touch_directory(Step& step, InodeId id, DirectoryChange change);
  static void touch(const Step& step, proto::Inode* inode);
  Result<> set_shadowed(Step& step, InodeId directory, const std::string& name, bool shadowed);
  Result<> add_name(Step& step, InodeId directory, const std::string& name, proto::Dirent dirent,
                    DirectoryChange change);
  Result<proto::Dirent> take_name(Step& step, InodeId directory, const std::string& name,
                                  bool is_directory, DirectoryChange change);
  std::unexpected<Error> missing(const Step& step, InodeId id) const;

  struct PlacedInode;
  Result<std::optional<PlacedInode>> read_placed(Step& step, InodeId id);
  static void put_placed(Step& step, const PlacedInode& placed);
  Result<> write_file(Step& step, const proto::WriteFileMutation& m);
  Result<> change_inode(Step& step, const proto::ChangeInodeMutation& m);
  /// Takes [begin, end) out of a content; returns how many bytes were there.
  Result<uint64_t> punch(Step& step, uint64_t content, uint64_t begin, uint64_t end);
  Result<> cut_parts(Step& step, proto::Inode& inode, uint64_t size);
  void put_small_run(Step& step, uint64_t content, uint64_t offset, std::string data, bool counted);

  Result<> add_content(Step& step, const proto::AddContentMutation& m);
  Result<> add_stripe(Step& step, const proto::NewStripe& stripe, const proto::StripePieces& pieces,
                      uint64_t live_bytes);
  Result<> release_content(Step& step, const proto::ReleaseContentMutation& m);
  Result<> trim_content(Step& step, const proto::TrimContentMutation& m);
  Result<> drop_run(Step& step, std::string_view key, const proto::ContentRecord& record,
                    bool waited);
  Result<> lower_live(Step& step, StripeId id, uint64_t bytes, bool waited);
  Result<> swap(Step& step, const proto::SwapMutation& m);
  Result<std::optional<proto::ContentRecord>> read_run_of(Step& step,
                                                          const proto::SwapPiece& piece);
  Result<bool> swap_piece(Step& step, const proto::SwapMutation& m, const proto::SwapPiece& piece);
  Result<> free_stripes(Step& step, const proto::FreeStripesMutation& m);
  Result<> stripe_repaired(Step& step, const proto::StripeRepairedMutation& m);
  Result<> lease_range(Step& step, const proto::LeaseRangeMutation& m);
  Result<> end_ranges(Step& step, const proto::EndRangesMutation& m);

  Result<FileLocks> read_locks(Step& step, InodeId file) const;
  Result<> change_locks(Step& step, const proto::ChangeLocksMutation& m);
  /// With the file. Costs nothing when it has no locks.
  Result<> drop_locks(Step& step, InodeId file);
  /// Of files that have a name, and of all files together.
  void change_usage(Step& step, uint64_t bucket, int64_t bytes, int64_t files);
  void put_usage(Step& step, uint64_t bucket);
  Result<> count_usage(Step& step, const proto::CountUsageMutation& m);
  Result<> set_quota(Step& step, const proto::SetQuotaMutation& m);
  Result<> note_usage(Step& step, const proto::NoteUsageMutation& m);
  Result<> charge_bucket(Step& step, const proto::ChargeBucketMutation& m);

  Result<> put_intent(Step& step, const proto::Intent& intent);
  Result<> finish_intent(Step& step, const proto::FinishIntentMutation& m);
  void drop_replay(Step& step, uint64_t below);
  void note_number(uint64_t value);
  void note_numbers(const proto::Mutation& mutation);

  Result<> load_mirrors();
  template <class Record, class Visit>
  Result<> for_each(Kind kind, Visit visit);

  kv::Kv& kv_;
  PartitionId id_;
  Keys keys_;
  proto::PartitionState state_;
  StripeRanges ranges_;
  std::map<std::string, proto::Intent> intents_;
  std::map<std::string, proto::Decision> decisions_;
  std::unordered_set<InodeId> locked_;  // files with locks
  std::map<uint64_t, proto::BucketUsage> usage_;
  std::map<uint64_t, uint64_t> charged_;  // generation; of usage_
  std::map<uint64_t, proto::BucketQuotaState> quotas_;
  std::unordered_map<RequestId, uint64_t> replay_;  // never iterated
  std::map<uint64_t, std::vector<RequestId>> replay_buckets_;
};

}  // namespace turbine::meta
