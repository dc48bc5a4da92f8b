// SPDX-License-Identifier: BSL-1.0
// A state machine that keeps itself in SQLite: its applied index is in the transaction that applies. The logs of three servers are
// compacted by that, without snapshots; a server that comes late is sent the only capture that is made.
#if __has_include(<sqlite3.h>)
#include "totora/clock/manual_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/testing/conformance/durable_machine.hpp"
#include "totora/totora.hpp"
#include "totora/transport/loopback.hpp"

#include <sqlite3.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
using namespace totora;

struct Database // Throws what SQLite says.
{
    explicit Database(std::string const& path) { check(sqlite3_open(path.c_str(), &handle) == SQLITE_OK); }
    Database(Database const&) = delete;
    Database& operator=(Database const&) = delete;
    ~Database() { sqlite3_close(handle); }

    void check(bool good) const
    {
        if (not good)
            throw std::runtime_error(sqlite3_errmsg(handle));
    }
    void run(char const* sql) const { check(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) == SQLITE_OK); }

    sqlite3* handle = nullptr;
};

class Statement
{
public:
    Statement(Database const& db, char const* sql) : db_(db)
    {
        db.check(sqlite3_prepare_v2(db.handle, sql, -1, &statement_, nullptr) == SQLITE_OK);
    }
    Statement(Statement const&) = delete;
    Statement& operator=(Statement const&) = delete;
    ~Statement() { sqlite3_finalize(statement_); }

    void bind(int at, std::uint64_t number) { sqlite3_bind_int64(statement_, at, sqlite3_int64(number)); }
    void bind(int at, std::span<std::byte const> word)
    {
        sqlite3_bind_blob64(statement_, at, word.empty() ? "" : static_cast<void const*>(word.data()), word.size(),
                            SQLITE_TRANSIENT);
    }
    bool next()
    {
        auto const result = sqlite3_step(statement_);
        db_.check(result == SQLITE_ROW or result == SQLITE_DONE);
        return result == SQLITE_ROW;
    }
    void                       reset() { sqlite3_reset(statement_); }
    std::uint64_t              number(int column) { return std::uint64_t(sqlite3_column_int64(statement_, column)); }
    std::span<std::byte const> word(int column)
    {
        auto const* data = static_cast<std::byte const*>(sqlite3_column_blob(statement_, column));
        return {data, std::size_t(sqlite3_column_bytes(statement_, column))};
    }

private:
    Database const& db_;
    sqlite3_stmt*   statement_ = nullptr;
};

/// How often each word was proposed, in a database. A commit is durable when it returns (synchronous=FULL).
class Tally
{
public:
    using Response = std::uint64_t;

    /// A state that stays as it is: a connection of its own, which has begun to read.
    class Capture
    {
    public:
        explicit Capture(std::string const& path) : db_(std::make_unique<Database>(path))
        {
            db_->run("begin");
            applied_ = applied_in(*db_);
        }

        /// The applied index and how many words there are; then of each its length, the word, and how often.
        void write(SnapshotSink& sink) const
        {
            auto words = Statement{*db_, "select count(*) from tally"};
            static_cast<void>(words.next());
            put_number(sink, applied_);
            put_number(sink, words.number(0));
            for (auto rows = Statement{*db_, "select word, times from tally order by word"}; rows.next();) {
                put_number(sink, rows.word(0).size());
                sink.write(rows.word(0));
                put_number(sink, rows.number(1));
            }
        }

    private:
        std::unique_ptr<Database> db_;
        std::uint64_t             applied_ = 0;
    };

    explicit Tally(std::string path) : path_(std::move(path)), db_(std::make_unique<Database>(path_))
    {
        db_->run("pragma journal_mode=wal; pragma synchronous=full;"
                 "create table if not exists tally(word blob primary key, times integer not null);"
                 "create table if not exists applied(entry integer not null);"
                 "insert into applied select 0 where not exists(select * from applied)");
        durable_ = applied_in(*db_);
    }

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        auto const last = commands.back().index.value;
        db_->run("begin immediate");
        auto count = Statement{
            *db_, "insert into tally values(?, 1) on conflict do update set times = times + 1 returning times"};
        for (auto const& command : commands) {
            count.reset();
            count.bind(1, command.payload);
            db_->check(count.next());
            responses.push_back(count.number(0));
            while (count.next()) {}
        }
        commit(last);
    }

    Index         applied_index() const { return Index{durable_}; }
    Index         durable_index() const { return Index{durable_}; }
    Capture       capture() const { return Capture{path_}; }
    std::uint32_t snapshot_format() const { return 1; }

    std::optional<std::string> restore(SnapshotSource& source)
    {
        auto const applied = source.format() == 1 ? get_number(source) : std::nullopt;
        auto const words = applied ? get_number(source) : std::nullopt;
        if (not words)
            return "it is no tally of this version";
        db_->run("begin immediate; delete from tally");
        for (auto left = *words; left > 0; --left)
            if (not insert_next(source)) {
                db_->run("rollback");
                return "it is too short";
            }
        commit(*applied);
        return std::nullopt;
    }

private:
    static std::uint64_t applied_in(Database const& db)
    {
        auto row = Statement{db, "select entry from applied"};
        return row.next() ? row.number(0) : 0;
    }
    static void put_number(SnapshotSink& sink, std::uint64_t number)
    {
        auto bytes = std::array<std::byte, 8>{};
        put(bytes.data(), number);
        sink.write(bytes);
    }
    static std::optional<std::uint64_t> get_number(SnapshotSource& source)
    {
        auto bytes = std::array<std::byte, 8>{};
        return source.read(bytes) == bytes.size() ? std::optional{get<std::uint64_t>(bytes.data())} : std::nullopt;
    }
    bool insert_next(SnapshotSource& source)
    {
        auto const size = get_number(source);
        auto       word = std::vector<std::byte>(std::min<std::uint64_t>(size.value_or(0), 1U << 20U));
        auto const got = source.read(word);
        auto const times = get_number(source);
        if (not size or got != *size or not times)
            return false;
        auto insert = Statement{*db_, "insert or replace into tally values(?, ?)"};
        insert.bind(1, word);
        insert.bind(2, *times);
        return not insert.next();
    }
    void commit(std::uint64_t applied)
    {
        auto update = Statement{*db_, "update applied set entry = ?"};
        update.bind(1, applied);
        static_cast<void>(update.next());
        update.reset();
        db_->run("commit");
        durable_ = applied;
    }

    std::string               path_;
    std::unique_ptr<Database> db_;
    std::uint64_t             durable_ = 0;
};

static_assert(durable_machine<Tally>);

/// Copies a database as a crash would leave it, together with what SQLite has not yet moved out of its journal.
void copy_database(std::string const& from, std::string const& to)
{
    for (auto const* const part : {"", "-wal"}) {
        std::filesystem::remove(to + part);
        if (std::filesystem::exists(from + part))
            std::filesystem::copy_file(from + part, to + part);
    }
    std::filesystem::remove(to + "-shm");
}

/// In your project this is a test.
void expect_lawful(std::string const& directory)
{
    auto       commands = std::vector<conformance::Command>{};
    auto const path = directory + "/laws.db";
    for (auto const word : {"reed", "rush", "", "reed", "sedge"})
        commands.push_back(conformance::payload_of(word));
    auto const make = [&] {
        for (auto const* const part : {"", "-wal", "-shm"})
            std::filesystem::remove(path + part);
        return Tally{path};
    };
    auto const crash = [&] {
        copy_database(path, path + ".copy");
        return Tally{path + ".copy"};
    };
    auto const broken = conformance::check_durable_machine(make, commands, crash);
    if (not broken.empty())
        throw std::runtime_error("a law is broken\n" + conformance::to_string(broken));
    std::printf("the machine keeps its laws, also across crashes\n");
}

struct Server
{
    Server(ServerId id, std::vector<Peer> const& peers, LoopbackNetwork& network, std::string const& directory)
        : tally(directory + "/" + std::to_string(id.value) + ".db"),
          log({cluster_of("tally"), id, first_incarnation, peers}), transport(network.join(id, first_incarnation)),
          clock(id.value)
    {
        if (auto const started = node.start(); not started)
            throw std::runtime_error(started.error().what);
    }
    static NodeSettings settings()
    {
        auto settings = NodeSettings{};
        settings.snapshots.entries_max = 50; // The log is compacted when the machine has so many more.
        settings.snapshots.trailing_entries = 10;
        return settings;
    }
    Tally                                             tally;
    MemoryLog                                         log;
    Loopback                                          transport;
    ManualClock                                       clock;
    RaftNode<Tally, MemoryLog, Loopback, ManualClock> node{tally, log, transport, clock, settings()};
};

using Servers = std::vector<std::unique_ptr<Server>>;

/// Runs the servers that are there until something is true.
template <typename Condition>
void run_until(Servers& servers, char const* wanted, Condition is_true)
{
    for (auto ms = 0; not is_true(); ++ms) {
        if (ms == 20'000)
            throw std::runtime_error(std::string{"there is still not "} + wanted);
        for (auto& server : servers) {
            server->clock.advance_ms(1);
            while (server->node.turn()) {}
        }
    }
}

Server& leader_of(Servers& servers)
{
    auto const leads = [](auto const& server) { return server->node.status().role == RoleName::leader; };
    run_until(servers, "a leader", [&] { return std::any_of(servers.begin(), servers.end(), leads); });
    return **std::find_if(servers.begin(), servers.end(), leads);
}

int main()
try {
    auto directory = (std::filesystem::temp_directory_path() / "totora-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr)
        throw std::runtime_error("cannot make " + directory);
    expect_lawful(directory);
    auto peers = std::vector<Peer>{};
    for (auto id : {1U, 2U, 3U})
        peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, {}});
    auto network = LoopbackNetwork{};
    auto servers = Servers{};
    for (auto const id : {1U, 2U})
        servers.push_back(std::make_unique<Server>(ServerId{id}, peers, network, directory));

    auto reeds = std::uint64_t{0};
    for (auto count = 0; count < 200; ++count) {
        auto const word = std::string_view{count % 2 == 0 ? "reed" : "rush"};
        auto       ended = false;
        leader_of(servers).node.propose(std::as_bytes(std::span{word}), [&](auto const& outcome) {
            auto const* applied = std::get_if<AppliedWith<std::uint64_t>>(&outcome);
            ended = true;
            if (applied != nullptr and word == "reed")
                reeds = applied->response;
        });
        run_until(servers, "an end of a proposal", [&] { return ended; });
    }
    auto const base = leader_of(servers).node.status().base;
    std::printf("reed was counted %llu times; the log begins after entry %llu, and there are %zu files\n",
                static_cast<unsigned long long>(reeds), static_cast<unsigned long long>(base.value),
                leader_of(servers).log.snapshots().size());

    servers.push_back(std::make_unique<Server>(ServerId{3}, peers, network, directory)); // It needs what is compacted.
    run_until(servers, "all that was applied on server 3",
              [&] { return servers[2]->tally.durable_index() == leader_of(servers).tally.durable_index(); });
    run_until(servers, "an end of all files", [&] {
        return std::all_of(servers.begin(), servers.end(),
                           [](auto const& one) { return one->log.snapshots().empty(); });
    });
    std::printf("server 3 has all of it, by entry %llu, and no file is left\n",
                static_cast<unsigned long long>(servers[2]->tally.durable_index().value));
    servers.clear();
    std::filesystem::remove_all(directory);
    return reeds == 100 and base > Index{100} ? 0 : 1;
} catch (std::exception const& failed) {
    std::fprintf(stderr, "%s\n", failed.what());
    return 1;
}
#else
#include <cstdio>

int main() { return std::printf("this example needs SQLite (Debian: libsqlite3-dev)\n") > 0 ? 0 : 1; }
#endif
