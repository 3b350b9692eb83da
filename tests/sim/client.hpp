// Client: asks a gateway's file system one thing after another, and notes what it was told.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/contents.hpp"
#include "sim/history.hpp"
#include "sim/sim_array.hpp"

namespace turbine::sim {

inline constexpr const char* kBucket = "b";

/// The keys of a run: few, so that clients meet; files beside directories of the same name.
const std::vector<std::string>& all_keys();

struct ClientCounters {
  uint64_t operations = 0;  // begun
  uint64_t answered = 0;    // with what was asked, or that it does not exist
  uint64_t unknown = 0;     // mutations whose outcome nobody knows
};

/// A listing showed a common prefix: one of these keys must have existed meanwhile.
struct PrefixSeen {
  std::vector<std::string> keys;
  uint64_t from = 0, to = 0;
  std::string text;
};

/// What the clients of a run share.
struct ClientWorld {
  SimArray& array;
  History history;
  Contents contents;
  ClientCounters counters;
  std::vector<PrefixSeen> prefixes;

  /// Whether one order of all operations explains every answer; complains to the trace.
  void check();
};

/// One reactor thread. One operation at a time; goes on until told to stop.
class Client {
 public:
  Client(ClientWorld& world, uint32_t number, uint64_t seed)
      : world_(world), number_(number), rng_(seed) {}

  Task<> run(const bool& stop);
  /// From now on no fault is about: every error is a failure of the run.
  void be_calm() { calm_ = true; }
  Task<> read_all();
  Task<> list_all(std::string delimiter);
  /// Aborts every upload and deletes every key.
  Task<> remove_all();

 private:
  Task<> one_operation();
  Task<> put_object();
  Task<> copy_object();
  Task<> put_content(std::string key, std::vector<Buffer> parts, std::string what);
  Task<fs::ObjectInfo> write_object(std::string key, Version version, fs::Conditions conditions,
                                    bool* committing);
  Task<> get_object(std::string key, bool whole);
  Task<Version> read_object(std::string key, bool whole);
  Task<> head_object();
  Task<> remove_object(std::string key);
  Task<fs::ListResult> list_page(fs::ListRequest request);
  fs::ListRequest some_list_request();

  Task<> multipart_object();
  Task<> put_parts(std::string key, std::string upload, std::vector<fs::PartInfo>* parts,
                   std::vector<Buffer>* contents, bool* late);
  Task<> put_part(std::string key, std::string upload, fs::PartInfo* part, Buffer data, bool* late);
  Task<> write_part(std::string key, std::string upload, fs::PartInfo part, Buffer data);
  Task<> complete(std::string key, std::string upload, std::vector<fs::PartInfo> parts,
                  std::vector<Buffer> contents, bool late);

  /// Takes a gateway for the operation; false when none runs.
  bool take_gateway();
  fs::FileSystem& files() { return *gateway_->files; }
  Operation begin(std::string text);
  void end(const std::string& key, Operation operation, std::string answer);
  /// What the error says of the effect. `sent`: the mutation may have been asked for.
  void end_with_error(const std::string& key, Operation operation, const Error& error, bool sent);
  void note_listing(const fs::ListRequest& request, const fs::ListResult& result,
                    const Operation& operation);
  void check_listing_shape(const fs::ListRequest& request, const fs::ListResult& result);
  /// Whether a client must live with it while faults are about.
  bool excused(const Error& error) const;
  std::string some_key() { return all_keys()[rng_.below(all_keys().size())]; }
  std::vector<Buffer> some_content();
  Trace& trace() { return world_.array.trace; }

  ClientWorld& world_;
  const uint32_t number_;
  Rng rng_;
  bool calm_ = false;
  std::shared_ptr<GatewayProcess> gateway_;   // of the operation under way
  std::map<std::string, Version> last_seen_;  // for conditions
};

}  // namespace turbine::sim
