// chmod and chown: who may, what becomes of set-id bits, whose a new file is.
#include "checks.hpp"

namespace turbine::kernel_test {
namespace {

void every_mode_is_kept(Checks& checks) {
  make_file("f");
  make_directory("d");
  for (mode_t mode = 0; mode < 010000; mode += 0111) {
    checks.works(::chmod("f", mode), "chmod of a file");
    checks.mode("f", mode, "a file");
    checks.works(::chmod("d", mode), "chmod of a directory");
    checks.mode("d", mode, "a directory");
  }
  const int fd = ::open("f", O_RDONLY);
  checks.works(::fchmod(fd, 0640), "fchmod");
  checks.mode("f", 0640, "after fchmod");
  ::close(fd);
}

void chmod_is_the_owners(Checks& checks) {
  make_file("f");
  make_directory("d");
  give("f", kAlice, kStaff);
  give("d", kAlice, kStaff);
  {
    const As as(kAlice, kStaff);
    checks.works(::chmod("f", 0600), "by the owner");
    checks.works(::chmod("d", 0700), "of a directory by its owner");
  }
  const As as(kBob, kStaff);
  checks.fails(::chmod("f", 0666), EPERM, "by a member of the group");
  checks.fails(::chmod("d", 0777), EPERM, "of a directory by a member of its group");
  checks.mode("f", 0600, "after what was refused");
}

void chmod_follows_symlinks(Checks& checks) {
  make_file("f", 0600);
  checks.works(::symlink("f", "l"), "symlink");
  checks.works(::chmod("l", 0640), "chmod of the link");
  checks.mode("f", 0640, "its target");
  checks.fails(::chmod("nothing", 0644), ENOENT, "of nothing");
  checks.fails(::chmod("f/x", 0644), ENOTDIR, "below a file");
}

/// S_ISGID is for members of the file's group.
void set_group_id_needs_membership(Checks& checks) {
  make_file("f", 0644);
  give("f", kAlice, kStaff);
  {
    const As as(kAlice, kGuests);
    checks.works(::chmod("f", 02755), "chmod 02755 by an owner who is no member");
    checks.mode("f", 0755, "the bit is left out");
  }
  const As as(kAlice, kGuests, {kStaff});
  checks.works(::chmod("f", 02755), "chmod 02755 by an owner who is a member");
  checks.mode("f", 02755, "the bit is set");
}

void chown_is_roots(Checks& checks) {
  make_file("f");
  give("f", kAlice, kStaff);
  {
    const As as(kAlice, kStaff, {kGuests});
    checks.fails(::chown("f", kBob, static_cast<gid_t>(-1)), EPERM, "the owner gives it away");
    checks.fails(::chown("f", static_cast<uid_t>(-1), 3000), EPERM, "to a group not one's own");
    checks.works(::chown("f", static_cast<uid_t>(-1), kGuests), "to a group of one's own");
    checks.works(::chown("f", kAlice, kStaff), "to oneself and back to the group");
  }
  {
    const As as(kBob, kGuests);
    checks.fails(::chown("f", kBob, kGuests), EPERM, "somebody takes it");
    checks.fails(::chown("f", static_cast<uid_t>(-1), kGuests), EPERM, "somebody takes its group");
  }
  checks.works(::chown("f", kBob, 3000), "root gives it away");
  checks.equal(status_of("f").st_uid, kBob, "its owner");
  checks.equal(status_of("f").st_gid, 3000, "its group");
  checks.works(::chown("f", 4000000000, 4000000001), "large ids");
  checks.equal(status_of("f").st_uid, 4000000000, "a large owner");
  checks.equal(status_of("f").st_gid, 4000000001, "a large group");
}

void chown_of_symlinks(Checks& checks) {
  make_file("f");
  checks.works(::symlink("f", "l"), "symlink");
  checks.works(::lchown("l", kAlice, kStaff), "lchown");
  checks.equal(status_of("l").st_uid, kAlice, "the link's owner");
  checks.equal(status_of("f").st_uid, 0, "the target's owner after lchown");
  checks.works(::chown("l", kBob, kGuests), "chown");
  checks.equal(status_of("f").st_uid, kBob, "the target's owner after chown");
  checks.equal(status_of("l").st_uid, kAlice, "the link's owner after chown");
}

void chown_drops_set_id_bits(Checks& checks) {
  make_file("f");
  give("f", kAlice, kStaff);
  checks.works(::chmod("f", 06755), "chmod");
  {
    const As as(kAlice, kStaff, {kGuests});
    checks.works(::chown("f", static_cast<uid_t>(-1), kGuests), "chown by the owner");
  }
  checks.mode("f", 0755, "after chown by the owner");
  checks.works(::chmod("f", 06755), "chmod");
  checks.works(::chown("f", kBob, kStaff), "chown by root");
  checks.mode("f", 0755, "after chown by root");
  // Without execution by the group, S_ISGID is no set-id bit.
  checks.works(::chmod("f", 02644), "chmod");
  checks.works(::chown("f", kAlice, kStaff), "chown");
  checks.mode("f", 02644, "mandatory locking's bit after chown");
  make_directory("d", 02755);
  checks.works(::chown("d", kAlice, kStaff), "chown of a directory");
  checks.mode("d", 02755, "a directory after chown");
}

void writing_drops_set_id_bits(Checks& checks) {
  for (const mode_t bits : {04000, 02000, 06000}) {
    make_file("f", 0777, "content");
    give("f", kAlice, kStaff);
    checks.works(::chmod("f", 0777 | bits), "chmod");
    {
      const As as(kBob, kGuests);
      const int fd = ::open("f", O_WRONLY);
      checks.equal(static_cast<uint64_t>(::write(fd, "x", 1)), 1, "write by another user");
      checks.works(::fsync(fd), "fsync");
      ::close(fd);
    }
    checks.mode("f", 0777, "after writing");
    checks.works(::chmod("f", 0777 | bits), "chmod");
    {
      const As as(kBob, kGuests);
      checks.works(::truncate("f", 2), "truncate by another user");
    }
    checks.mode("f", 0777, "after truncation");
    checks.works(::unlink("f"), "unlink");
  }
}

void new_files_belong_to(Checks& checks) {
  {
    const As as(kAlice, kStaff, {kGuests});
    ::umask(027);
    const int fd = ::open("f", O_CREAT | O_EXCL | O_WRONLY, 0666);
    if (checks.works(fd, "create")) ::close(fd);
    checks.works(::mkdir("d", 0777), "mkdir");
    checks.works(::mkfifo("p", 0666), "mkfifo");
    checks.works(::symlink("f", "l"), "symlink");
    ::umask(0);
  }
  for (const char* each : {"f", "d", "p", "l"}) {
    checks.equal(status_of(each).st_uid, kAlice, fmt::format("owner of {}", each));
    checks.equal(status_of(each).st_gid, kStaff, fmt::format("group of {}", each));
  }
  checks.mode("f", 0640, "a file with umask 027");
  checks.mode("d", 0750, "a directory with umask 027");
  checks.mode("p", 0640, "a fifo with umask 027");
}

void set_group_id_directories(Checks& checks) {
  make_directory("d");
  give("d", kAlice, kStaff);
  checks.works(::chmod("d", 02777), "chmod");
  {
    const As as(kBob, kGuests);
    make_file("d/f");
    checks.works(::mkdir("d/sub", 0755), "mkdir inside");
    checks.works(::symlink("x", "d/l"), "symlink inside");
  }
  checks.equal(status_of("d/f").st_gid, kStaff, "a file has the directory's group");
  checks.equal(status_of("d/l").st_gid, kStaff, "a symlink has the directory's group");
  checks.equal(status_of("d/sub").st_gid, kStaff, "a directory has the directory's group");
  checks.mode("d/sub", 02755, "a directory inherits the bit");
  checks.equal(status_of("d/f").st_uid, kBob, "but not the owner");
}

}  // namespace

std::vector<Case> ownership_cases() {
  return {{"every_mode_is_kept", every_mode_is_kept},
          {"chmod_is_the_owners", chmod_is_the_owners},
          {"chmod_follows_symlinks", chmod_follows_symlinks},
          {"set_group_id_needs_membership", set_group_id_needs_membership},
          {"chown_is_roots", chown_is_roots},
          {"chown_of_symlinks", chown_of_symlinks},
          {"chown_drops_set_id_bits", chown_drops_set_id_bits},
          {"writing_drops_set_id_bits", writing_drops_set_id_bits},
          {"new_files_belong_to", new_files_belong_to},
          {"set_group_id_directories", set_group_id_directories}};
}

}  // namespace turbine::kernel_test
