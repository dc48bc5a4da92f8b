// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kv
{

inline constexpr std::string_view help_text = R"(kv: a replicated key-value store that speaks the protocol of Redis

kv init --cluster NAME --id N --peers 1=HOST:PORT,2=HOST:PORT,... --dir DIR
    makes the directory of one of the first servers of a cluster, once. All are given the
    same name and peers: servers given others are of another cluster, and refuse these.
    --token TEXT            distinguishes clusters of the same name and ids, like one that
                            was made again after a trial: the same for all first servers

kv init --join --cluster-id HEX --id N --dir DIR
    makes the directory of a server that is to be let into a cluster that there is: HEX is
    raft_cluster_id in INFO of any of its members, N an id that no member has. Then
    kv run --dir DIR --client-port PORT --peer-address N=HOST:PORT
    starts it, and RAFT.ADD N HOST:PORT lets it in. A server that lost its directory comes
    back like this too, once it was removed: what it had promised is lost

kv run --dir DIR --client-port PORT
    starts the server of that directory. Its options:
    --client-host HOST      where clients find this server, as others send them there
                            (default: the host of the server's own peer address)
    --client-listen ADDRESS:PORT  where it listens for clients, if that is another address of
                            this machine than where they find it; 0.0.0.0 for all (ADDRESS is
                            a number)
    --listen ADDRESS:PORT   the same for the other servers (default: its own peer address)
    --peer-address ID=HOST:PORT,...  where servers have moved to: instead of what kv init
                            was given, also for the server itself
    --election-ms MIN..MAX  how long without a leader before an election (default: 300..600)
    --heartbeat-ms N        how often a leader sends a heartbeat (default: 50)
    --timeout-ms N          how long a client waits for a write or a read: then it is answered that
                            the outcome of the write is unknown (default: 10000)
    --segment-mib N         size of the log's files, 1 to 2048 (default: 16)
    --scrub-mib N           how much of the log's older files is read in a second, in the background,
                            to find damage while others still have what is lost; 0 for none
                            (default: 4)
    --snapshot-mib N        a snapshot is taken after so much was written to the log, and no less than
                            the last snapshot's size; 0 for only by RAFT.SNAPSHOT (default: 64)
    --keep-mib N            how much of the log is kept beside a snapshot, so that a server that lags
                            need not be sent all of it; 0 for nothing (default: 64)
    --clients N             how many clients there may be at a time, as far as the process may have so
                            many file descriptors (default: 10000)
    --clients-mib N         memory for all clients' requests and answers together: the client that
                            holds the most is closed beyond it (default: 256)
    --log memory            keep the log in memory: for trials, loses everything at exit.
                            Takes --cluster, --id, --peers and --token instead of --dir
    --unsafe-no-sync        acknowledge what is not on the disk: for tests, a power loss takes
                            what was promised

kv verify --dir DIR [--json]
    reads all of a log whose server does not run, changes nothing, and prints what it found:
    sound, torn (a crash interrupted a write that was never acknowledged: the next start cuts
    it off) or damaged, and where.

kv export --dir DIR --to FILE [--online]
    writes a backup of what a server that does not run had committed, checked by a checksum. With
    --online the server may run: its newest snapshot is copied. RAFT.SNAPSHOT asks for one, and is
    answered when it is there.

kv import FILE --cluster NAME --id N --peers 1=HOST:PORT,... --dir DIR [--token TEXT]
    makes the directory of one of the first servers of a new cluster, like kv init, which begins with
    what the backup holds. Import the same file for each of them, and start them: servers that
    were made of another file, or by kv init, refuse these.

kv --help
    prints this.

Exit codes: 0 stopped by a signal, or nothing to do; 1 cannot go on: the disk failed, the log is
damaged, there is no memory left, or a second signal came while it stopped; 2 something that you
can set right: the message names it.
)";

struct Help
{};

/// `kv init`.
struct Init
{
    std::string               cluster;
    totora::ServerId          id;
    std::vector<totora::Peer> peers;
    std::string               directory;
    std::string               token; ///< Empty if none was given.
};

/// `kv init --join`.
struct Join
{
    totora::ClusterId cluster;
    totora::ServerId  id;
    std::string       directory;
};

enum class LogKind : std::uint8_t
{
    segmented, ///< In files.
    memory,    ///< Gone with the process.
};

/// `kv run`.
struct Run
{
    std::string               directory; ///< Empty if the log is in memory; `trial` then names the server.
    Init                      trial;
    std::uint16_t             client_port = 0;
    std::string               client_host;    ///< Empty for that of the server's own peer address.
    std::string               client_listen;  ///< Empty for where clients find it.
    std::string               listen;         ///< Empty for the server's own peer address.
    std::vector<totora::Peer> peer_addresses; ///< Instead of those in the directory.
    std::uint64_t             election_ms_min = 300;
    std::uint64_t             election_ms_max = 600;
    std::uint64_t             heartbeat_ms = 50;
    std::uint64_t             timeout_ms = 10'000; ///< After which a client is answered whatever happens.
    LogKind                   log = LogKind::segmented;
    bool          skips_sync = false; ///< Acknowledges what is not durable: the tests show that they notice.
    std::uint64_t segment_mib = 16;
    std::uint64_t scrub_mib = 4; ///< In a second; 0 for none.
    std::uint64_t snapshot_mib =
        64; ///< Bytes of the log after which a snapshot is due; 0: only when a client asks for one.
    std::uint64_t keep_mib = 64;     ///< Of the log, kept beside a snapshot for servers that lag; 0 for nothing.
    std::uint64_t clients_mib = 256; ///< What is held for all clients together.
    std::uint64_t clients = 10'000;  ///< How many there may be at a time.
};

/// `kv verify`.
struct Verify
{
    std::string directory;
    bool        as_json = false;
};

/// `kv export`.
struct Export
{
    std::string directory;
    std::string file;
    bool        is_online = false; ///< The newest snapshot, also while the server runs.
};

/// `kv import`.
struct Import
{
    std::string file;
    Init        server; ///< To be made.
};

using Invocation = std::variant<Help, Init, Join, Run, Verify, Export, Import>;

} // namespace kv
