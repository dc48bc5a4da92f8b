// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The version of the library. CMakeLists.txt and meson.build read it from the literal below.
namespace totora::inline v0
{

inline constexpr int version_major = 0;
inline constexpr int version_minor = 1;
inline constexpr int version_patch = 0;

inline constexpr char const* version_string = "0.1.0";

} // namespace totora::inline v0
