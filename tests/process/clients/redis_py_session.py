#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A session of redis-py with a cluster of kv: PORT_OF_THE_LEADER PORT PORT PORT. Ends with "fine" if all is as with Redis.

When it prints "end the leader", the leader is to be killed.
"""
import logging
import sys
import time

import redis
from redis.cluster import ClusterNode, RedisCluster

logging.disable(logging.CRITICAL)  # Of servers that are gone.

HOST = "127.0.0.1"
leader = int(sys.argv[1])
ports = [int(port) for port in sys.argv[2:]]


def expect(found, wanted):
    if found != wanted:
        sys.exit(f"found {found!r} instead of {wanted!r}")


def expect_error(action, kind, beginning):
    try:
        found = action()
    except kind as error:
        expect(str(error)[: len(beginning)], beginning)
    else:
        sys.exit(f"found {found!r} instead of an error")


def one_server():
    client = redis.Redis(HOST, leader, decode_responses=True, client_name="session")
    expect(client.ping(), True)
    expect(client.client_getname(), "session")
    expect(client.client_id() > 0, True)
    expect([other["name"] for other in client.client_list() if other["name"]], ["session"])
    expect(client.client_setname("again"), True)
    expect(client.echo("words of any kind\n"), "words of any kind\n")
    expect(client.role()[0], "master")
    expect(client.info("cluster"), {"cluster_enabled": 1})
    expect(client.info()["role"], "master")
    expect(client.config_get("appendonly"), {"appendonly": "yes"})
    expect(client.command_count(), len(client.command()))
    expect(abs(client.time()[0] - time.time()) < 60, True)

    expect(client.set("text", "a"), True)
    expect(client.set("text", "b", nx=True), None)
    expect(client.set("none", "b", xx=True), None)
    expect(client.append("text", "bc"), 3)
    expect(client.get("text"), "abc")
    expect(client.strlen("text"), 3)
    expect(client.getset("text", "new"), "abc")
    expect(client.getset("fresh", "1"), None)
    expect(client.setnx("fresh", "2"), False)
    expect(client.setnx("number", 10), True)
    expect(client.incr("number"), 11)
    expect(client.incr("number", 31), 42)
    expect(client.decr("number"), 41)
    expect(client.decr("number", 50), -9)
    expect(client.type("number"), "string")
    expect(client.type("none"), "none")
    expect(client.mset({"one": 1, "two": 2}), True)
    expect(client.mget("one", "none", "two"), ["1", None, "2"])
    expect(client.exists("one", "one", "none"), 2)
    expect(client.delete("one", "none"), 1)
    expect(client.unlink("two"), 1)
    expect(sorted(client.keys("*e*")), ["fresh", "number", "text"])
    expect(client.dbsize(), 3)
    expect_error(lambda: client.incr("text"), redis.ResponseError, "value is not an integer or out of range")
    expect_error(lambda: client.lpush("list", 1), redis.ResponseError, "unknown command 'LPUSH'")

    with client.pipeline(transaction=False) as pipeline:
        for key in range(1000):
            pipeline.set(f"many:{key}", key)
            pipeline.get(f"many:{key}")
        answers = pipeline.execute()
    expect(answers[0::2], [True] * 1000)
    expect(answers[1::2], [str(key) for key in range(1000)])
    expect(sorted(client.scan_iter("many:*", count=50)), sorted(f"many:{key}" for key in range(1000)))
    expect(list(client.scan_iter(_type="list")), [])
    expect(client.flushall(), True)
    expect(client.dbsize(), 0)
    expect(client.keys(), [])

    follower = redis.Redis(HOST, next(port for port in ports if port != leader))
    expect(follower.ping(), True)
    expect(follower.role()[0], b"slave")
    expect(follower.role()[2], leader)
    expect_error(lambda: follower.get("text"), redis.ResponseError, f"MOVED 0 {HOST}:{leader}")


def cluster():
    expected = {port for port in ports if port != leader}
    for port in ports:
        deadline = time.monotonic() + 60
        while True:  # Followers announce where they are a moment after they are ready.
            client = RedisCluster(HOST, port, decode_responses=True)
            found = {node.port for node in client.get_replicas()}
            if found == expected or time.monotonic() > deadline:
                break
            client.close()
        expect(found, expected)
        expect([node.port for node in client.get_primaries()], [leader])
        expect(client.set(f"from:{port}", port), True)
        expect(client.get(f"from:{port}"), str(port))
        expect(client.mset_nonatomic({"a": 1, "b": 2, "c": 3}), [True] * 3)
        expect(client.mget_nonatomic("a", "b", "c"), ["1", "2", "3"])
        expect(client.keyslot("foo"), client.cluster_keyslot("foo"))
        expect(client.cluster_info()["cluster_state"], "ok")
        expect(len(client.cluster_nodes()), 3)
        expect(f"from:{port}" in client.scan_iter(), True)
        client.close()


def failover():
    def connect():
        return RedisCluster(startup_nodes=[ClusterNode(HOST, port) for port in ports], decode_responses=True)

    client = connect()
    expect(client.set("before", "1"), True)
    print("end the leader", flush=True)
    deadline = time.monotonic() + 60
    while True:
        try:  # Another client: in redis-py 4.3.4 one whose server is gone cannot copy its own settings.
            client = connect()
            if client.get_primaries()[0].port != leader and client.set("after", "1"):
                break
        except (redis.exceptions.RedisError, redis.exceptions.RedisClusterException, OSError, IndexError):
            pass
        if time.monotonic() > deadline:
            sys.exit("the new leader was not found")
        time.sleep(0.05)
    expect(client.get("before"), "1")


one_server()
cluster()
failover()
print("fine")
