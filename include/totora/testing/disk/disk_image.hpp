// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/hashing.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// The bytes of a file, with their hash. Never changed: all images in which the file is the same share it.
struct FileContent
{
    FileContent() = default;
    explicit FileContent(std::vector<std::byte> its_bytes)
        : bytes(std::move(its_bytes)), hash(testing::hash_of(reinterpret_cast<char const*>(bytes.data()), bytes.size()))
    {}

    std::vector<std::byte> bytes;
    testing::Hash128       hash;
};

using SharedContent = std::shared_ptr<FileContent const>;

/// The content of a directory: what a machine finds on its disk when the power comes back.
struct DiskImage
{
    struct NamedFile
    {
        std::string   name;
        SharedContent content;
    };

    std::vector<NamedFile> files; ///< By name.

    /// Images with the same names and bytes have the same hash; others have another, but for one in 10^22.
    [[nodiscard]] testing::Hash128 hash() const
    {
        auto text = std::string{};
        for (auto const& [name, content] : files) {
            text += name;
            text += '\0';
            text.append(reinterpret_cast<char const*>(&content->hash), sizeof content->hash);
        }
        return testing::hash_of(text.data(), text.size());
    }
};

} // namespace totora::inline v0::conformance
