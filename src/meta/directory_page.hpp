// The payload of READ_DIRECTORY's answer: rows as they are kept, which the asker makes sense of.
#pragma once

#include <string>
#include <string_view>

#include "base/byte_codec.hpp"

namespace turbine::meta {

/// An entry of a directory. Each field: its length (4 bytes, little-endian), its bytes.
struct PageEntry {
  std::string_view entry_key;  // a directory's ends with a slash
  std::string_view dirent;     // Dirent
  std::string_view inode;      // InodeRecord of what is not in the dirent; empty: not asked or here
};

inline void append_page_entry(std::string& page, const PageEntry& entry) {
  for (const std::string_view field : {entry.entry_key, entry.dirent, entry.inode}) {
    append_le<uint32_t>(page, static_cast<uint32_t>(field.size()));
    page.append(field);
  }
}

inline Result<PageEntry> take_page_entry(ByteReader& page) {
  PageEntry entry;
  for (std::string_view* field : {&entry.entry_key, &entry.dirent, &entry.inode}) {
    *field = TRY(page.take(TRY(page.le<uint32_t>())));
  }
  return entry;
}

}  // namespace turbine::meta
