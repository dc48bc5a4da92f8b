// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The messages between servers, as bytes: frame.hpp has the format, encode.hpp and decode.hpp the two directions, and
/// handshake.hpp what two servers agree on before they exchange messages. None of it knows a socket, so that any transport can use it.

#include "totora/wire/decode.hpp"
#include "totora/wire/encode.hpp"
#include "totora/wire/frame.hpp"
#include "totora/wire/handshake.hpp"
