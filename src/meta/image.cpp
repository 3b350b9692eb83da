#include "meta/image.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace turbine::meta {

Image::Image(kv::Kv& kv, PartitionId id, uint8_t generation)
    : kv_(kv), id_(id), keys_(id, generation) {
  state_.set_next_number(kRootInode.number() + 1);
  state_.set_next_stripe(1);
}

template <class Record, class Visit>
Result<> Image::for_each(Kind kind, Visit visit) {
  auto it = kv_.scan(keys_.kind(kind), keys_.kind_end(kind));
  for (; it->valid(); it->next()) {
    visit(it->key(), TRY(parse_record<Record>(it->key(), it->value())));
  }
  return it->status();
}

Result<> Image::load() {
  auto state = TRY(read_record<proto::PartitionState>(kv_, keys_.state()));
  if (!state.has_value()) return {};
  state_ = std::move(*state);
  return load_mirrors();
}

Result<> Image::load_mirrors() {
  TRY(for_each<proto::StripeRange>(
      Kind::range, [&](std::string_view, proto::StripeRange r) { ranges_.add(std::move(r)); }));
  TRY(for_each<proto::Intent>(Kind::intent, [&](std::string_view key, proto::Intent intent) {
    intents_.insert_or_assign(std::string(key), std::move(intent));
  }));
  TRY(for_each<proto::Decision>(Kind::decision, [&](std::string_view key, proto::Decision d) {
    decisions_.insert_or_assign(std::string(key), std::move(d));
  }));
  auto locked = kv_.scan(keys_.kind(Kind::lock), keys_.kind_end(Kind::lock));
  for (; locked->valid(); locked->next()) locked_.insert(InodeId(number_in_key(locked->key())));
  TRY(locked->status());
  TRY(for_each<proto::BucketUsage>(Kind::usage, [&](std::string_view key, proto::BucketUsage u) {
    if (u.charged() != 0) charged_[number_in_key(key)] = u.charged();
    usage_.insert_or_assign(number_in_key(key), std::move(u));
  }));
  TRY(for_each<proto::BucketQuotaState>(
      Kind::quota, [&](std::string_view key, proto::BucketQuotaState quota) {
        quotas_.insert_or_assign(number_in_key(key), std::move(quota));
      }));
  auto it = kv_.scan(keys_.kind(Kind::replay), keys_.kind_end(Kind::replay));
  for (; it->valid(); it->next()) {
    const RequestId id{SessionId(number_in_key(it->key(), 1)), number_in_key(it->key(), 2)};
    const uint64_t bucket = number_in_key(it->key());
    replay_.emplace(id, bucket);
    replay_buckets_[bucket].push_back(id);
  }
  return it->status();
}

std::optional<uint64_t> Image::replay_bucket_of(RequestId id) const {
  const auto found = replay_.find(id);
  if (found == replay_.end()) return std::nullopt;
  return found->second;
}

std::optional<uint64_t> Image::oldest_replay_bucket() const {
  if (replay_buckets_.empty()) return std::nullopt;
  return replay_buckets_.begin()->first;
}

Result<> Image::apply(const proto::LogEntry& entry, Lsn lsn, Term term, journal::Position position,
                      Observed* observed) {
  if (lsn.value != state_.applied_lsn() + 1) {
    return fail(Errc::corrupt, "partition {}: log entry {} follows {}: the journal has a gap", id_,
                lsn, state_.applied_lsn());
  }
  Changes changes(kv_);
  Step step{changes, lsn.value, entry.time_ns(), observed};
  state_.set_applied_lsn(lsn.value);
  state_.set_applied_term(term.value);
  state_.set_applied_position(position.value);
  state_.set_last_time_ns(std::max(state_.last_time_ns(), entry.time_ns()));
  for (const proto::Mutation& mutation : entry.mutations()) {
    note_numbers(mutation);
    TRY(apply_mutation(step, mutation));
  }
  if (entry.sequence() != 0) {
    const RequestId id{SessionId(entry.session()), entry.sequence()};
    const uint64_t bucket = replay_bucket(entry.time_ns());
    proto::ReplayRecord record;
    record.set_reply(entry.reply());
    changes.put(keys_.replay(bucket, id), record);
    if (replay_.emplace(id, bucket).second) replay_buckets_[bucket].push_back(id);
  }
  changes.put(keys_.state(), state_);
  return kv_.write(changes.take_batch());
}

Result<> Image::apply_mutation(Step& step, const proto::Mutation& m) {
  using Op = proto::Mutation;
  switch (m.op_case()) {
    case Op::kPutFile:
      return put_file(step, m.put_file());
    case Op::kRemoveFile:
      return remove_file(step, m.remove_file());
    case Op::kLinkDirectory:
      return link_directory(step, m.link_directory());
    case Op::kUnlinkDirectory:
      return unlink_directory(step, m.unlink_directory());
    case Op::kPutInode:
      return put_inode(step, m.put_inode());
    case Op::kRemoveInode:
      return remove_inode(step, InodeId(m.remove_inode().inode()));
    case Op::kAddContent:
      return add_content(step, m.add_content());
    case Op::kReleaseContent:
      return release_content(step, m.release_content());
    case Op::kPutParts: {
      proto::PartTable table;
      *table.mutable_parts() = m.put_parts().parts();
      step.changes.put(keys_.part_table(m.put_parts().content()), table);
      return {};
    }
    case Op::kLeaseRange:
      return lease_range(step, m.lease_range());
    case Op::kEndRanges:
      return end_ranges(step, m.end_ranges());
    case Op::kSwap:
      return swap(step, m.swap());
    case Op::kFreeStripes:
      return free_stripes(step, m.free_stripes());
    case Op::kTrimContent:
      return trim_content(step, m.trim_content());
    case Op::kReaped:
      for (const uint64_t inode : m.reaped().inodes()) {
        step.changes.remove(keys_.reap_queue(InodeId(inode)));
      }
      return {};
    case Op::kPutUpload: {
      const proto::Upload& upload = m.put_upload();
      step.changes.put(keys_.upload(InodeId(upload.bucket()), upload.key(), upload.id()), upload);
      return {};
    }
    case Op::kRemoveUpload:
      return remove_upload(step, m.remove_upload());
    case Op::kPutPart:
      return put_part(step, m.put_part());
    case Op::kSetSettings:
      return set_settings(step, m.set_settings());
    case Op::kPutIntent:
      return put_intent(step, m.put_intent());
    case Op::kFinishIntent:
      return finish_intent(step, m.finish_intent());
    case Op::kPutDecision: {
      const std::string key = keys_.decision(m.put_decision().id());
      decisions_.insert_or_assign(key, m.put_decision());
      step.changes.put(key, m.put_decision());
      return {};
    }
    case Op::kForgetDecision: {
      const std::string key = keys_.decision(m.forget_decision());
      decisions_.erase(key);
      step.changes.remove(key);
      return {};
    }
    case Op::kDropReplayBelow:
      drop_replay(step, m.drop_replay_below());
      return {};
    case Op::kStripeRepaired:
      return stripe_repaired(step, m.stripe_repaired());
    case Op::kAdoptHidden:
      return adopt_hidden(step, InodeId(m.adopt_hidden().inode()));
    case Op::kWriteFile:
      return write_file(step, m.write_file());
    case Op::kChangeInode:
      return change_inode(step, m.change_inode());
    case Op::kLinkFile:
      return link_file(step, m.link_file());
    case Op::kUnlinkFile:
      return unlink_file(step, m.unlink_file());
    case Op::kRenameFile:
      return rename_file(step, m.rename_file());
    case Op::kPromoteFile:
      return promote_file(step, m.promote_file());
    case Op::kChangeLinks:
      return change_links(step, m.change_links());
    case Op::kSetParent:
      return set_parent(step, m.set_parent());
    case Op::kReplaceFile:
      return replace_file(step, m.replace_file());
    case Op::kDropCookiesBeforeNs:
      return drop_cookies(step, m.drop_cookies_before_ns());
    case Op::kChangeLocks:
      return change_locks(step, m.change_locks());
    case Op::kSetQuota:
      return set_quota(step, m.set_quota());
    case Op::kNoteUsage:
      return note_usage(step, m.note_usage());
    case Op::kChargeBucket:
      return charge_bucket(step, m.charge_bucket());
    case Op::kCountUsage:
      return count_usage(step, m.count_usage());
    case Op::OP_NOT_SET:
      break;
  }
  return fail(Errc::corrupt,
              "partition {}: log entry {} holds a mutation this version does not "
              "know",
              id_, step.lsn);
}

void Image::note_number(uint64_t value) {
  const InodeId id(value);
  if (id.partition() != id_) return;
  state_.set_next_number(std::max<uint64_t>(state_.next_number(), id.number() + 1));
}

void Image::note_numbers(const proto::Mutation& m) {
  if (m.has_put_file()) {
    note_number(m.put_file().inode().id());
    note_number(m.put_file().inode().content());
  } else if (m.has_put_inode()) {
    note_number(m.put_inode().inode().id());
    note_number(m.put_inode().inode().content());
  } else if (m.has_add_content()) {
    note_number(m.add_content().content());
  } else if (m.has_replace_file()) {
    note_number(m.replace_file().inode().content());
  } else if (m.has_change_inode()) {
    note_number(m.change_inode().new_content());
  } else if (m.has_put_intent()) {
    for (const proto::Mutation& inner : m.put_intent().mutations()) note_numbers(inner);
  }
}

Result<> Image::put_intent(Step& step, const proto::Intent& intent) {
  const std::string key = keys_.intent(intent.id());
  intents_.insert_or_assign(key, intent);
  step.changes.put(key, intent);
  return {};
}

Result<> Image::finish_intent(Step& step, const proto::FinishIntentMutation& m) {
  const std::string key = keys_.intent(m.id());
  const auto found = intents_.find(key);
  if (found == intents_.end()) return {};
  const proto::Intent intent = std::move(found->second);
  intents_.erase(found);
  step.changes.remove(key);
  if (!m.commit()) return {};
  for (const proto::Mutation& mutation : intent.mutations()) {
    TRY(apply_mutation(step, mutation));
  }
  return {};
}

void Image::drop_replay(Step& step, uint64_t below) {
  const RequestId none{};
  step.changes.remove_range(keys_.kind(Kind::replay), keys_.replay(below, none));
  while (!replay_buckets_.empty() && replay_buckets_.begin()->first < below) {
    for (const RequestId& id : replay_buckets_.begin()->second) replay_.erase(id);
    replay_buckets_.erase(replay_buckets_.begin());
  }
}

}  // namespace turbine::meta
