// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.codec.ByteReader;
import dev.entente.engine.codec.ByteWriter;
import dev.entente.engine.codec.JsonCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Table;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The first answers to requests, so that what is sent again is not done again. */
final class Answers {
  /** In the place of a fingerprint, where a version tells only which request it came of. */
  private static final long ELSEWHERE = Long.MIN_VALUE;

  private Answers() {}

  /** What a request was answered before; empty where it comes for the first time. */
  static Optional<Outcome> first(Transaction transaction, WriteRequest request, String id) {
    byte[] stored = transaction.get(Table.ANSWERS, Keys.of(request.key().tenant(), id));
    if (stored == null) {
      return Optional.empty();
    }
    ByteReader in = new ByteReader(stored);
    long fingerprint = in.u64();
    Json answer = JsonCodec.read(in);
    boolean same =
        fingerprint == ELSEWHERE
            ? answer.equals(elsewhere(request.key()))
            : fingerprint == request.fingerprint();
    return Optional.of(
        same
            ? new Outcome.Duplicate(answer, transaction.snapshot(request.key()))
            : new Rejected(
                Code.INVALID,
                "the id " + id.substring(1) + " was used before for a different request",
                Optional.empty()));
  }

  /**
   * Keeps that another node, or this one before its directory went back in time, has accepted a
   * request, so that sending it again to this one does no harm.
   */
  static void keep(Transaction transaction, Version version) {
    if (version.eventId().isEmpty()) {
      return;
    }
    byte[] at = key(version, version.eventId().get());
    if (transaction.get(Table.ANSWERS, at) == null) {
      ByteWriter out = new ByteWriter().u64(ELSEWHERE);
      JsonCodec.write(out, elsewhere(version.key()));
      transaction.put(Table.ANSWERS, at, out.toBytes());
    }
  }

  /** Where the first answer to the request stands that a version was accepted for. */
  static byte[] key(Version version, String event) {
    return Keys.of(version.key().tenant(), (version.device().isPresent() ? "e" : "i") + event);
  }

  private static Json elsewhere(RecordKey key) {
    return Json.of(Map.of("outcome", "applied", "recordId", key.id(), "type", key.type()));
  }

  /** Keeps what a request is answered, for when it comes again. */
  static void keep(Transaction transaction, WriteRequest request, String id, Accepted accepted) {
    ByteWriter out = new ByteWriter().u64(request.fingerprint());
    JsonCodec.write(out, answer(request.key(), accepted));
    transaction.putAnswer(Keys.of(request.key().tenant(), id), out.toBytes());
  }

  private static Json answer(RecordKey key, Accepted accepted) {
    Map<String, Json> answer = new TreeMap<>();
    answer.put("outcome", Json.of(accepted.kind().label()));
    answer.put("recordId", Json.of(key.id()));
    answer.put("context", Json.of(accepted.after().token()));
    answer.put(
        "resolutions", Json.of(accepted.resolutions().stream().map(Describe::resolution).toList()));
    accepted.conflictId().ifPresent(conflict -> answer.put("conflictId", Json.of(conflict)));
    return JsonObject.of(answer);
  }
}
