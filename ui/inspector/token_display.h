// SPDX-License-Identifier: GPL-3.0-or-later
//
// How a token is written in a table, where nothing may be invisible.
#pragma once

#include "engine/records.h"

#include <QString>

#include <string_view>

namespace bathyscope::ui {

/// A space as ␣, a line feed as ↵, a tab as ⇥; control characters and bytes that are not whole UTF-8
/// characters in hexadecimal, ⟨E2 80⟩; other invisible characters by their code point, ⟨U+200B⟩.
QString visibleToken(std::string_view bytes);

/// "␣the at 12": a token with its index in the reply, which people count from 1.
QString placedToken(const TokenRecord &record, int token);

/// All bytes in hexadecimal, separated by spaces.
QString hexBytes(std::string_view bytes);

} // namespace bathyscope::ui
