// SPDX-License-Identifier: BSL-1.0
#pragma once

// For the preprocessor: `#if TOTORA_VERSION >= 100` asks for 0.1.0 or newer.
#define TOTORA_VERSION_MAJOR 0
#define TOTORA_VERSION_MINOR 1
#define TOTORA_VERSION_PATCH 0
#define TOTORA_VERSION (TOTORA_VERSION_MAJOR * 10'000 + TOTORA_VERSION_MINOR * 100 + TOTORA_VERSION_PATCH)

/// The version of the library. CMakeLists.txt and meson.build read it from the literal below.
namespace totora::inline v0
{

inline constexpr int version_major = 0;
inline constexpr int version_minor = 1;
inline constexpr int version_patch = 0;

inline constexpr char const* version_string = "0.1.0";

static_assert(TOTORA_VERSION == version_major * 10'000 + version_minor * 100 + version_patch);

} // namespace totora::inline v0
