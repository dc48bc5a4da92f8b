// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace totora::inline v0
{

/// Continues a CRC32C state (Castagnoli, reflected polynomial 0x82F63B78; not yet complemented) over bytes, bit by bit. Constexpr.
[[nodiscard]] constexpr std::uint32_t crc32c_by_bits(std::uint32_t state, std::span<std::byte const> bytes)
{
    for (auto const byte : bytes) {
        state ^= static_cast<std::uint32_t>(byte);
        for (auto bit = 0; bit < 8; ++bit)
            state = (state >> 1U) ^ ((state & 1U) != 0 ? 0x82F63B78U : 0U);
    }
    return state;
}

/// The tables of CRC32C for eight bytes at a time.
using Crc32cTables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Made when the program first needs them: as constants they would be evaluated in every file that includes them.
[[nodiscard]] inline Crc32cTables make_crc32c_tables()
{
    auto tables = Crc32cTables{};
    for (auto byte = std::size_t{0}; byte < 256; ++byte) {
        auto const one_and_zeros = std::array<std::byte, 8>{static_cast<std::byte>(byte)};
        for (auto table = std::size_t{0}; table < 8; ++table)
            tables[table][byte] = crc32c_by_bits(0, std::span{one_and_zeros}.first(table + 1));
    }
    return tables;
}

/// The same by tables.
[[nodiscard]] inline std::uint32_t crc32c_by_tables(std::uint32_t state, std::span<std::byte const> bytes)
{
    static auto const tables = make_crc32c_tables();
    auto              position = std::size_t{0};
    auto const        at = [&](std::size_t offset) { return static_cast<std::uint32_t>(bytes[position + offset]); };
    for (; position + 8 <= bytes.size(); position += 8) {
        auto const low = state ^ (at(0) | at(1) << 8U | at(2) << 16U | at(3) << 24U);
        state = tables[7][low & 0xFFU] ^ tables[6][low >> 8U & 0xFFU] ^ tables[5][low >> 16U & 0xFFU] ^
                tables[4][low >> 24U] ^ tables[3][at(4)] ^ tables[2][at(5)] ^ tables[1][at(6)] ^ tables[0][at(7)];
    }
    for (; position < bytes.size(); ++position)
        state = (state >> 8U) ^ tables[0][(state ^ at(0)) & 0xFFU];
    return state;
}

#if defined(__x86_64__) && defined(__GNUC__)
/// The same by the processor's instruction (SSE 4.2), eight bytes in three cycles.
[[nodiscard, gnu::target("sse4.2")]] inline std::uint32_t
crc32c_sse42(std::uint32_t state, std::span<std::byte const> bytes)
{
    auto const* data = bytes.data();
    auto        left = bytes.size();
    auto        wide = std::uint64_t{state};
    for (; left >= 8; left -= 8, data += 8) {
        auto word = std::uint64_t{0};
        std::memcpy(&word, data, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    auto narrow = static_cast<std::uint32_t>(wide);
    for (; left > 0; --left, ++data)
        narrow = __builtin_ia32_crc32qi(narrow, static_cast<unsigned char>(*data));
    return narrow;
}
#endif

/// The CRC32C of bytes; `seed` is the CRC32C of what came before them, so that parts may be checked in turn.
[[nodiscard]] constexpr std::uint32_t crc32c(std::span<std::byte const> bytes, std::uint32_t seed = 0)
{
    if (std::is_constant_evaluated())
        return ~crc32c_by_bits(~seed, bytes);
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc32c_sse42(~seed, bytes);
#endif
    return ~crc32c_by_tables(~seed, bytes);
}

} // namespace totora::inline v0
