#include <fmt/format.h>

#include "cli/admin_call.hpp"
#include "cli/array_dir.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

using boost::json::object;

uint64_t count_of(const object& from, std::string_view name) {
  return from.at(name).to_number<uint64_t>();
}
std::string text(const object& from, std::string_view name) {
  return std::string(from.at(name).as_string());
}

int status_code(std::string_view state) {
  if (state == "healthy") return kOk;
  if (state == "degraded") return kDegraded;
  if (state == "at_risk") return kAtRisk;
  return kUnavailable;
}

// Above this many blades, those that are well share one line: status stays within 30 lines.
constexpr size_t kBladeLinesMax = 16;

void print_blades(const boost::json::array& blades) {
  std::vector<std::vector<std::string>> rows;
  size_t left_out = 0;
  for (const auto& value : blades) {
    const object& blade = value.as_object();
    const bool well = text(blade, "status") == "healthy";
    const bool show = blades.size() <= kBladeLinesMax || !well;
    if (!show || rows.size() == kBladeLinesMax) {
      ++left_out;
      continue;
    }
    std::string note = blade.at("full").as_bool() ? "full" : "";
    if (!text(blade, "trouble").empty()) note = text(blade, "trouble");
    rows.push_back(
        {"  " + text(blade, "name"), text(blade, "status"),
         size_text(count_of(blade, "used")) + " of " + size_text(count_of(blade, "raw_capacity")),
         note});
  }
  if (!rows.empty()) print_table({"  BLADE", "STATE", "USED", ""}, rows);
  if (left_out > 0) fmt::print("  {} more blades: `turbine blade list`\n", left_out);
}

void print_protection(const object& array) {
  const object& protection = array.at("protection").as_object();
  const object& partitions = array.at("partitions").as_object();
  if (count_of(protection, "parity_shards") == 0) {
    fmt::print("protection  {}: no protection\n", text(protection, "layout"));
  } else {
    fmt::print("protection  {}: data survives {} more, metadata {}\n", text(protection, "layout"),
               count_of(protection, "data_tolerance"), count_of(protection, "metadata_tolerance"));
  }
  std::string notes;
  if (const uint64_t count = count_of(partitions, "at_risk"); count > 0) {
    notes += fmt::format(", {} at risk with one live replica", count);
  }
  if (const uint64_t count = count_of(partitions, "recruiting"); count > 0) {
    notes += fmt::format(", {} recruiting a replica", count);
  }
  fmt::print("metadata    {} of {} partitions serve{}\n",
             count_of(partitions, "total") - count_of(partitions, "unavailable"),
             count_of(partitions, "total"), notes);
}

void print_jobs(const boost::json::array& jobs) {
  if (jobs.empty()) {
    fmt::print("jobs        none\n");
    return;
  }
  for (const auto& value : jobs) {
    const object& job = value.as_object();
    if (text(job, "name") == "repair") {
      fmt::print("jobs        repair: {} stripes to go, {} done\n",
                 count_of(job, "stripes_waiting"), count_of(job, "stripes_repaired"));
    } else {
      fmt::print("jobs        {}: {} to go\n", text(job, "name"),
                 size_text(count_of(job, "bytes_waiting")));
    }
  }
}

void print_status(const object& array, const boost::json::array& blades) {
  const object& space = array.at("space").as_object();
  fmt::print("array       {} ({}), {}\n", text(array, "name"), text(array, "id").substr(0, 8),
             text(array, "state"));
  print_blades(blades);
  fmt::print("capacity    {} used of {} raw, {} usable; {} objects, {}\n",
             size_text(count_of(space, "used")), size_text(count_of(space, "capacity")),
             size_text(count_of(space, "usable")), count_of(space, "objects"),
             size_text(count_of(space, "object_bytes")));
  print_protection(array);
  print_jobs(array.at("jobs").as_array());
  const boost::json::array& nfs = array.at("nfs").as_array();
  if (!nfs.empty()) fmt::print("nfs         {}\n", mount_command(nfs.at(0).as_string()));
  fmt::print("{}\n", text(array, "advice"));
}

int run_status(Session& session) {
  auto arrays = admin_list(session, "/api/v1/arrays");
  if (!arrays.ok()) return report(arrays.error());
  auto blades = admin_list(session, "/api/v1/blades");
  if (!blades.ok()) return report(blades.error());
  object array = arrays->at(0).as_object();
  const int code = status_code(text(array, "state"));
  if (session.json()) {
    array["blade_list"] = *blades;
    print_json(array);
  } else {
    print_status(array, *blades);
  }
  return code;
}

}  // namespace

void add_status(CLI::App& app, Session& session) {
  CLI::App* command =
      add_command(app, session, "status",
                  "how the array is; exits 0 healthy, 10 degraded, 11 data at risk, 12 unavailable",
                  "turbine status --dir ./array", [&] { return run_status(session); });
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
