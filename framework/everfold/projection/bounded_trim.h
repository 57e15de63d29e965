// trim, ltrim and rtrim of two arguments, in the place of SQLite's own, which compare each character of the text with
// each that is to be taken off: with long ones one call may take a minute, and nothing can stop it.
#pragma once

struct sqlite3;

namespace everfold::sqlite {

// The characters to be taken off have no more bytes than this; a call with more is an error of the statement.
inline constexpr int kMaxTrimBytes = 100;

// On this connection. Returns a result code of SQLite's.
int AddBoundedTrim(sqlite3* database);

}  // namespace everfold::sqlite
