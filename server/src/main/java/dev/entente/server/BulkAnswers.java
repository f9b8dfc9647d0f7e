// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.JsonCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Hashes;
import dev.entente.engine.Node;
import dev.entente.engine.json.JsonReader;
import dev.entente.server.Problem.Code;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * What bulk decisions under an {@code Idempotency-Key} were answered at this node, durably: sent
 * again, such a request decides nothing, although its filter may match other reviews by then.
 *
 * <p>Keeps ids only, and no reasons: those may quote values that are erased later. The newest
 * answers of each slot stay; a slot is chosen by the hash of the key.
 */
final class BulkAnswers {
  private static final int SLOTS = 1_024;
  private static final int OF_SLOT_MAX = 8;
  private static final int HASH_BYTES = 32;

  private final Node node;
  private final ReentrantLock[] locks = new ReentrantLock[64];

  BulkAnswers(Node node) {
    this.node = node;
    Arrays.setAll(locks, _ -> new ReentrantLock());
  }

  private record Kept(byte[] key, byte[] request, Json answer) {}

  /** The first answer to a request with this key; carries the request out where there is none. */
  Reply once(Call call, Supplier<Reply> first) {
    Optional<String> given =
        call.header("idempotency-key")
            .map(key -> Call.checkedName("Idempotency-Key", Writes.bounded(key)));
    if (given.isEmpty()) {
      return first.get();
    }
    byte[] key = hash(call.tenant(), call.caller().name(), given.get());
    byte[] request =
        hash(call.claimedAuthor(), new String(call.body(), StandardCharsets.ISO_8859_1));
    int slot = (((key[0] & 0xff) << 8) | (key[1] & 0xff)) % SLOTS;
    ReentrantLock lock = locks[slot % locks.length];
    lock.lock();
    try {
      List<Kept> known = read(slot);
      for (Kept kept : known) {
        if (Arrays.equals(kept.key(), key)) {
          if (!Arrays.equals(kept.request(), request)) {
            throw new Problem(
                Code.INVALID,
                "the key " + given.get() + " was used before for a different request");
          }
          return Reply.json(200, kept.answer());
        }
      }
      Reply reply = first.get();
      if (reply.status() < 300) {
        keep(slot, known, new Kept(key, request, withoutReasons(reply)));
      }
      return reply;
    } finally {
      lock.unlock();
    }
  }

  private static Json withoutReasons(Reply reply) {
    String body = new String(reply.body(), StandardCharsets.UTF_8);
    JsonObject answer = (JsonObject) JsonReader.strict().read(body);
    JsonObject kept = answer.with("repeated", Json.of(true));
    return answer.get("skipped") instanceof JsonArray(List<Json> skipped)
        ? kept.with(
            "skipped",
            Json.of(
                skipped.stream()
                    .map(one ->
                        one instanceof JsonObject named
                            ? named.with("reason", JsonAbsent.ABSENT)
                            : one)
                    .toList()))
        : kept;
  }

  private static String name(int slot) {
    return "bulk-answers/" + slot;
  }

  private List<Kept> read(int slot) {
    List<Kept> all = new ArrayList<>();
    node.kept(name(slot))
        .ifPresent(bytes -> {
          ByteReader in = new ByteReader(bytes);
          while (!in.atEnd()) {
            all.add(new Kept(in.raw(HASH_BYTES), in.raw(HASH_BYTES), JsonCodec.read(in)));
          }
        });
    return all;
  }

  private void keep(int slot, List<Kept> known, Kept newest) {
    ByteWriter out = new ByteWriter();
    List<Kept> all = new ArrayList<>(known);
    all.add(newest);
    for (Kept kept : all.subList(Math.max(0, all.size() - OF_SLOT_MAX), all.size())) {
      out.raw(kept.key()).raw(kept.request());
      JsonCodec.write(out, kept.answer());
    }
    Writes.await(() -> node.keep(name(slot), out.toBytes()));
  }

  private static byte[] hash(String... parts) {
    ByteWriter out = new ByteWriter();
    for (String part : parts) {
      out.text(part);
    }
    return Hashes.of(out.toBytes());
  }
}
