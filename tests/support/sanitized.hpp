// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace totora::test
{

/// Whether a sanitizer looks on, under which everything takes five to twenty times as long: what a test repeats for
/// breadth, it repeats less.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif
#else
inline constexpr bool is_sanitized = false;
#endif

} // namespace totora::test
