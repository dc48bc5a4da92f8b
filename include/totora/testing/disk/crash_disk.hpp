// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/files.hpp"
#include "totora/testing/conformance/log/crash_node.hpp"
#include "totora/testing/disk/disk_image.hpp"
#include "totora/testing/disk/forgetting_disk.hpp"

#include <range/v3/algorithm/contains.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// A disk with one directory that knows every image that a power loss could leave of it now.
///
/// A change of a name that is not synced is there or not, each for itself; a rename is one change. `CrashNode` holds
/// the versions of the files. `CrashFiles` is the directory that a log sees. For one thread.
class CrashDisk
{
public:
    using Names = std::map<std::string, std::shared_ptr<CrashNode>, std::less<>>;

    CrashDisk() = default;

    /// A disk that holds this, durably.
    explicit CrashDisk(DiskImage const& image)
    {
        for (auto const& [name, content] : image.files)
            names_[name] = std::make_shared<CrashNode>(content);
        durable_names_ = names_;
    }

    /// Called after every call that changed something, before it returns: the moment at which the power may fail.
    void on_change(std::function<void()> hook) { hook_ = std::move(hook); }

    /// Called at every call of a file: 0, or the `errno` to fail with. A write that fails has written its first half.
    void interfere(std::function<int(FileCall, std::string_view name)> asked) { asked_ = std::move(asked); }

    /// How many bytes all files may have together.
    void limit_space(std::uint64_t bytes) { space_ = bytes; }

    [[nodiscard]] bool is_limited() const { return space_ != std::numeric_limits<std::uint64_t>::max(); }

    /// How many bytes all files have.
    [[nodiscard]] std::uint64_t used() const
    {
        auto used = std::uint64_t{0};
        for (auto const& [name, node] : names_)
            used += node->now().size();
        return used;
    }

    /// How many versions each thing has of which the disk may hold any. The product of the counts is the number of
    /// choices, of which several may give the same image.
    [[nodiscard]] std::vector<std::uint32_t> choices() const
    {
        auto counts = std::vector<std::uint32_t>(name_changes_.size(), 2);
        for (auto const& [name, node] : named_nodes())
            node->add_choices(counts);
        return counts;
    }

    /// What is found after a power loss: for each thing the version that `choice` names, in the order of `choices`.
    [[nodiscard]] DiskImage image(std::span<std::uint32_t const> choice) const
    {
        auto names = durable_names_;
        for (auto const& change : name_changes_)
            if (CrashNode::take(choice) != 0)
                apply(names, change);
        auto contents = std::map<CrashNode const*, SharedContent>{};
        for (auto const& [name, node] : named_nodes())
            contents[node.get()] = node->content(choice);
        auto image = DiskImage{};
        for (auto const& [name, node] : names)
            image.files.push_back({name, contents[node.get()]});
        return image;
    }

    /// The same in words: a line for each thing that may have been lost.
    [[nodiscard]] std::vector<std::string> describe(std::span<std::uint32_t const> choice) const
    {
        auto       lines = std::vector<std::string>{};
        auto const add = [&](std::string const& what, std::size_t versions) {
            auto const version = CrashNode::take(choice);
            lines.push_back(what + (version == 0          ? " is lost"
                                    : version == versions ? " is kept"
                                                          : " is there as after change " + std::to_string(version) +
                                                                " of " + std::to_string(versions)));
        };
        for (auto const& change : name_changes_)
            add(change.to.empty() ? "the removal of " + change.from : "the name " + change.to, 1);
        for (auto const& [name, node] : named_nodes()) {
            if (not node->sizes().empty())
                add("the size of " + name, node->sizes().size());
            for (auto const& [number, versions] : node->versions_of_sectors())
                add("sector " + std::to_string(number) + " of " + name, versions);
        }
        return lines;
    }

    /// The last calls that changed something, or were to make it durable, oldest first.
    [[nodiscard]] std::vector<std::string> last_calls(std::size_t count) const
    {
        auto const skipped = calls_.size() > count ? calls_.size() - count : 0;
        auto       lines = std::vector<std::string>{};
        for (auto at = skipped; at < calls_.size(); ++at)
            lines.push_back(std::to_string(at + 1) + ": " + calls_[at].text());
        return lines;
    }

    [[nodiscard]] std::uint64_t changing_calls() const { return calls_.size(); }

    /// How often a file was written to again under another name: recycled segments.
    [[nodiscard]] std::uint64_t recycled_files() const { return recycled_; }

    // --- What `DiskFiles` calls -------------------------------------------------------------------------------------

    using Handle = std::shared_ptr<CrashDisk>;
    using Node = CrashNode;
    using Session = testing::AnySession;
    using Call = testing::PlainCall;

    [[nodiscard]] static Session session() { return {}; }
    [[nodiscard]] Call           begin(FileCall kind, std::string_view name, Session /*session*/) const
    {
        return {asked_ ? asked_(kind, name) : 0};
    }

    [[nodiscard]] static FileError failure(int error, FileCall kind, std::string_view name)
    {
        return {error, std::string{"The crash disk failed to "} + word_for(kind) + " " + std::string{name}};
    }

    [[nodiscard]] std::uint64_t space_left() const { return used() < space_ ? space_ - used() : 0; }

    [[nodiscard]] Names const& names() const { return names_; }

    [[nodiscard]] std::shared_ptr<Node> find(std::string_view name) const
    {
        auto const found = names_.find(name);
        return found == names_.end() ? nullptr : found->second;
    }

    [[nodiscard]] std::shared_ptr<Node> create(std::string_view name)
    {
        auto node = std::make_shared<Node>();
        change_name("create", {{}, std::string{name}, node});
        return node;
    }

    void rename(std::string_view from, std::string_view to)
    {
        change_name("rename", {std::string{from}, std::string{to}, find(from)});
    }

    void remove(std::string_view name) { change_name("remove", {std::string{name}, {}, find(name)}); }

    void sync_names()
    {
        calls_.push_back({"sync", "the directory", 0, 0});
        durable_names_ = names_;
        name_changes_.clear();
    }

    void write(Node& node, std::string_view name, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        node.write(offset, bytes);
        recycled_ += std::exchange(node.renamed, false) ? 1U : 0U;
        changed("write", name, offset, bytes.size());
    }

    void allocate(Node& node, std::string_view name, std::uint64_t size)
    {
        if (size > node.now().size())
            node.resize(size);
        changed("allocate", name, size, 0);
    }

    void truncate(Node& node, std::string_view name, std::uint64_t size)
    {
        if (size < node.now().size())
            node.resize(size);
        changed("truncate", name, size, 0);
    }

    [[nodiscard]] int sync(Node& node, std::string_view name, Call const& call)
    {
        calls_.push_back({"sync", std::string{name}, 0, 0});
        node.sync(call.error() == 0);
        return call.error();
    }

private:
    /// A change of a name: given to a file, taken from it, or both in one step.
    struct NameChange
    {
        std::string from; ///< Empty if a file was created.
        std::string to;   ///< Empty if it was removed.

        std::shared_ptr<CrashNode> node;
    };

    struct Noted
    {
        char const*   what = "";
        std::string   name;
        std::uint64_t offset = 0;
        std::uint64_t size = 0;

        [[nodiscard]] std::string text() const
        {
            auto line = std::string{what} + " " + name;
            if (size > 0)
                line += ", " + std::to_string(size) + " bytes at " + std::to_string(offset);
            else if (offset > 0)
                line += " to " + std::to_string(offset) + " bytes";
            return line;
        }
    };

    struct NamedNode
    {
        std::string                name;
        std::shared_ptr<CrashNode> node;
    };

    /// Every file that has a name in some image, in the order in which they got it.
    [[nodiscard]] std::vector<NamedNode> named_nodes() const
    {
        auto all = std::vector<NamedNode>{};
        for (auto const& [name, node] : durable_names_)
            all.push_back({name, node});
        for (auto const& change : name_changes_)
            if (not ranges::contains(all, change.node, &NamedNode::node))
                all.push_back({change.to, change.node});
        return all;
    }

    static void apply(Names& names, NameChange const& change)
    {
        if (auto const found = names.find(change.from); found != names.end() and found->second == change.node)
            names.erase(found);
        if (not change.to.empty())
            names[change.to] = change.node;
    }

    void change_name(char const* what, NameChange change)
    {
        auto const names = change.from + (change.to.empty() ? "" : " -> " + change.to);
        apply(names_, change);
        change.node->renamed = not change.from.empty() and not change.to.empty();
        name_changes_.push_back(std::move(change));
        changed(what, names, 0, 0);
    }

    /// Records a call that changed something; the power may fail now.
    void changed(char const* what, std::string_view name, std::uint64_t offset, std::uint64_t size)
    {
        calls_.push_back({what, std::string{name}, offset, size});
        if (hook_)
            hook_();
    }

    [[nodiscard]] static char const* word_for(FileCall kind)
    {
        constexpr char const* words[] = {"names", "open",  "create", "rename",   "remove",   "sync",
                                         "size",  "write", "read",   "allocate", "truncate", "sync"};
        return words[static_cast<std::size_t>(kind)];
    }

    Names                                          names_;
    Names                                          durable_names_;
    std::vector<NameChange>                        name_changes_; ///< Since the directory was synced.
    std::vector<Noted>                             calls_;
    std::uint64_t                                  recycled_ = 0;
    std::uint64_t                                  space_ = std::numeric_limits<std::uint64_t>::max();
    std::function<void()>                          hook_;
    std::function<int(FileCall, std::string_view)> asked_;
};

static_assert(testing::forgetting_disk<CrashDisk>);

} // namespace totora::inline v0::conformance
