// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.CausalCodec;
import dev.entente.core.codec.JsonCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Origin;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which requests have been accepted, here or at other nodes, and what they were answered: so that
 * what is sent again is not done again, and versions of one request are known for what they are.
 *
 * <p>An entry stays when its version is pruned: the other nodes prune at other times, and all must
 * come to the same result about a request that is repeated later.
 */
final class Answers {
  private static final int FORMAT = 1;

  /** Begins the keys of entries; those of earlier releases begin with a letter. */
  private static final byte[] BY_HASH = {1};

  /** The length of what tells requests of a tenant apart, and how much of it is the sender's. */
  private static final int HASH_BYTES = 32;

  private static final int SENDER_BYTES = 8;

  private Answers() {}

  /**
   * A request that was accepted.
   *
   * @param request the hash of the whole request
   * @param version the version that has effect; empty where nothing was to be changed
   * @param answer what the client was told; absent where another node told them
   */
  record Kept(Fingerprint request, RecordKey key, Optional<Accept> version, Json answer) {
    private boolean isOlderThan(Kept other) {
      return other.version.isEmpty()
          || (version.isPresent() && version.get().compareTo(other.version.get()) <= 0);
    }
  }

  /** A version, and when it was accepted; ordered as versions of one request are. */
  record Accept(HybridTime at, Dot dot) implements Comparable<Accept> {
    static Accept of(Version version) {
      return new Accept(version.acceptedAt(), version.dot());
    }

    @Override
    public int compareTo(Accept other) {
      int order = at.compareTo(other.at);
      return order != 0 ? order : dot.compareTo(other.dot);
    }
  }

  /**
   * Where the answer to a request is kept.
   *
   * @param key the key in the table of answers
   * @param request the hash of the whole request
   * @param id the id that its sender gave it
   */
  record Place(byte[] key, Fingerprint request, String id) {}

  /** Where the answer to a request is kept; empty where it bears no id. */
  static Optional<Place> place(WriteRequest request, Origin origin) {
    return request
        .requestId()
        .map(kindAndId -> kindAndId.substring(1))
        .map(id ->
            new Place(key(request.key().tenant(), origin.sender(), id), origin.request(), id));
  }

  /** What a request was answered before; empty where it comes for the first time. */
  static Optional<Outcome> first(Transaction transaction, IdentifiedRequest identified) {
    if (identified.answer().isEmpty()) {
      return Optional.empty();
    }
    WriteRequest request = identified.request();
    Place place = identified.answer().get();
    List<Kept> known = read(transaction, place.key());
    if (known.isEmpty()) {
      return ofEarlierRelease(transaction, request);
    }
    for (Kept kept : known) {
      if (kept.request().equals(place.request())) {
        return Optional.of(
            new Outcome.Duplicate(answer(kept), transaction.snapshot(request.key())));
      }
    }
    return Optional.of(
        new Rejected(
            Code.INVALID,
            "the id " + place.id() + " was used before for a different request",
            Optional.empty()));
  }

  /**
   * What an earlier release answered; it told requests by a short checksum, which is not compared,
   * and did not tell senders apart.
   */
  private static Optional<Outcome> ofEarlierRelease(Transaction transaction, WriteRequest request) {
    if (!transaction.mayHoldEarlierAnswers()) {
      return Optional.empty();
    }
    RecordKey key = request.key();
    byte[] stored =
        transaction.get(Table.ANSWERS, Keys.of(key.tenant(), request.requestId().orElseThrow()));
    if (stored == null) {
      return Optional.empty();
    }
    ByteReader in = new ByteReader(stored);
    in.u64();
    Json answer = JsonCodec.read(in);
    boolean same =
        answer instanceof JsonObject object
            && object.get("recordId").equals(Json.of(key.id()))
            && (!(object.get("type") instanceof JsonString(String type))
                || type.equals(key.type()));
    return same
        ? Optional.of(new Outcome.Duplicate(answer, transaction.snapshot(key)))
        : Optional.empty();
  }

  /** The version of the same request that this node has already. */
  static Optional<Accept> sameRequest(Transaction transaction, Version version) {
    if (version.origin().isEmpty() || version.eventId().isEmpty()) {
      return Optional.empty();
    }
    for (Kept kept : read(transaction, key(version))) {
      if (kept.request().equals(version.origin().get().request())) {
        return kept.version().filter(known -> !known.dot().equals(version.dot()));
      }
    }
    return Optional.empty();
  }

  /**
   * Keeps that another node, or this one before its directory went back in time, has accepted a
   * request.
   *
   * @return a different request that the same sender gave the same id
   */
  static Optional<Kept> keep(Transaction transaction, Version version) {
    if (version.eventId().isEmpty()) {
      return Optional.empty();
    }
    if (version.origin().isEmpty()) {
      keepOfEarlierRelease(transaction, version);
      return Optional.empty();
    }
    Fingerprint request = version.origin().get().request();
    Kept kept =
        new Kept(request, version.key(), Optional.of(Accept.of(version)), JsonAbsent.ABSENT);
    byte[] at = key(version);
    List<Kept> known = read(transaction, at);
    transaction.put(Table.ANSWERS, at, bytes(with(known, kept)));
    return known.stream()
        .filter(other -> !other.request().equals(request) && other.version().isPresent())
        .findFirst();
  }

  /** Keeps what a request is answered, for when it comes again. */
  static void keep(
      Transaction transaction,
      IdentifiedRequest identified,
      Accepted accepted,
      Optional<Version> version) {
    if (identified.answer().isPresent()) {
      Place place = identified.answer().get();
      RecordKey key = identified.request().key();
      Kept kept = new Kept(place.request(), key, version.map(Accept::of), answer(key, accepted));
      transaction.putAnswer(place.key(), bytes(List.of(kept)));
    }
  }

  /**
   * Checks what a group is to agree to answer.
   *
   * @throws DamagedException where it is not kept under the key of a request, or is of a record of
   *     another tenant than that
   */
  static void require(byte[] key, byte[] answer) {
    String tenant = Keys.firstName(key);
    if (key.length != Keys.of(tenant).length + BY_HASH.length + HASH_BYTES || !isByHash(key)) {
      throw new DamagedException("an answer that is kept under no request");
    }
    List<Kept> all = fromBytes(answer);
    if (all.isEmpty() || !all.stream().allMatch(kept -> kept.key().tenant().equals(tenant))) {
      throw new DamagedException(
          "an answer under the tenant " + tenant + " is of none of its records");
    }
  }

  /** Whether a key is one of this release. */
  private static boolean isByHash(byte[] key) {
    int kind = Keys.of(Keys.firstName(key)).length;
    return kind < key.length && key[kind] == BY_HASH[0];
  }

  /**
   * Whether a store holds answers that an earlier release kept. Costs two look-ups for each tenant.
   */
  static boolean holdsEarlier(Store store) {
    byte[] key = firstKey(store, new byte[0]);
    while (key != null && isByHash(key)) {
      byte[] behind = Keys.after(Keys.with(Keys.of(Keys.firstName(key)), BY_HASH));
      key = firstKey(store, behind);
    }
    return key != null;
  }

  private static byte @Nullable [] firstKey(Store store, byte[] from) {
    List<byte[]> found = new ArrayList<>(1);
    store.scan(
        Table.ANSWERS,
        from,
        null,
        false,
        (key, _) -> {
          found.add(key);
          return false;
        });
    return found.isEmpty() ? null : found.getFirst();
  }

  private static void put(Transaction transaction, byte[] key, byte[] answers) {
    if (!isByHash(key)) {
      transaction.noteEarlierAnswer();
    }
    transaction.put(Table.ANSWERS, key, answers);
  }

  /** Takes what a group has agreed to answer, beside what is known of the id already. */
  static void take(Transaction transaction, byte[] key, byte[] agreed) {
    List<Kept> known = read(transaction, key);
    for (Kept kept : fromBytes(agreed)) {
      known = with(known, kept);
    }
    put(transaction, key, known.isEmpty() ? agreed : bytes(known));
  }

  /** Takes note that a version does not stand under its dot any more; its answer stays. */
  static void withdraw(Transaction transaction, Version version) {
    if (version.eventId().isEmpty() || version.origin().isEmpty()) {
      return;
    }
    byte[] at = key(version);
    List<Kept> known = new ArrayList<>(read(transaction, at));
    known.replaceAll(kept ->
        kept.version().filter(accept -> accept.dot().equals(version.dot())).isPresent()
            ? new Kept(kept.request(), kept.key(), Optional.empty(), kept.answer())
            : kept);
    transaction.put(Table.ANSWERS, at, bytes(known));
  }

  /** Forgets what a version's request was answered, though not that it was accepted. */
  static void forget(Transaction transaction, Version version) {
    if (version.eventId().isEmpty()) {
      return;
    }
    if (version.origin().isEmpty()) {
      transaction.delete(Table.ANSWERS, keyOfEarlierRelease(version));
      return;
    }
    byte[] at = key(version);
    List<Kept> known = new ArrayList<>(read(transaction, at));
    known.replaceAll(kept ->
        kept.request().equals(version.origin().get().request())
            ? new Kept(kept.request(), kept.key(), kept.version(), JsonAbsent.ABSENT)
            : kept);
    transaction.put(Table.ANSWERS, at, bytes(known));
  }

  /** Of one request the version that was accepted first, and the answer that is known. */
  private static List<Kept> with(List<Kept> known, Kept more) {
    Predicate<Kept> same = kept -> kept.request().equals(more.request());
    List<Kept> all = new ArrayList<>(known);
    all.removeIf(same);
    Kept merged = more;
    for (Kept kept : known) {
      if (same.test(kept)) {
        Kept older = kept.isOlderThan(more) ? kept : more;
        Json answer = more.answer().isAbsent() ? kept.answer() : more.answer();
        merged = new Kept(more.request(), more.key(), older.version(), answer);
      }
    }
    all.add(merged);
    return all;
  }

  private static byte[] key(Version version) {
    return key(
        version.key().tenant(),
        version.origin().orElseThrow().sender(),
        version.eventId().orElseThrow());
  }

  /** Requests of one sender are next to each other, since it sends several at a time. */
  private static byte[] key(String tenant, Fingerprint sender, String id) {
    byte[] whose = sender.toBytes();
    byte[] which = Hashes.of(whose, id.getBytes(StandardCharsets.UTF_8));
    return new ByteWriter(tenant.length() + 1 + BY_HASH.length + HASH_BYTES)
        .ended(tenant)
        .raw(BY_HASH)
        .raw(Arrays.copyOf(whose, SENDER_BYTES))
        .raw(Arrays.copyOf(which, HASH_BYTES - SENDER_BYTES))
        .toBytes();
  }

  private static void keepOfEarlierRelease(Transaction transaction, Version version) {
    byte[] at = keyOfEarlierRelease(version);
    if (transaction.get(Table.ANSWERS, at) == null) {
      ByteWriter out = new ByteWriter().u64(Long.MIN_VALUE);
      JsonCodec.write(out, elsewhere(version.key()));
      put(transaction, at, out.toBytes());
    }
  }

  private static byte[] keyOfEarlierRelease(Version version) {
    String kind = version.device().isPresent() ? "e" : "i";
    return Keys.of(version.key().tenant(), kind + version.eventId().orElseThrow());
  }

  private static List<Kept> read(Transaction transaction, byte[] key) {
    byte[] stored = transaction.get(Table.ANSWERS, key);
    return stored == null ? List.of() : fromBytes(stored);
  }

  private static byte[] bytes(List<Kept> all) {
    ByteWriter out = new ByteWriter().u8(FORMAT).varint(all.size());
    for (Kept kept : all) {
      out.raw(kept.request().toBytes());
      out.text(kept.key().tenant()).text(kept.key().type()).text(kept.key().id());
      out.u8(kept.version().isPresent() ? 1 : 0);
      kept.version()
          .ifPresent(
              version -> CausalCodec.write(out.varint(version.at().packed()), version.dot()));
      JsonCodec.write(out, kept.answer());
    }
    return out.toBytes();
  }

  private static List<Kept> fromBytes(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    if (in.u8() != FORMAT) {
      return List.of(); // Agreed on by a voter of an earlier release.
    }
    List<Kept> all = new ArrayList<>();
    for (int left = in.count(); left > 0; left--) {
      Fingerprint request = Fingerprint.of(in.raw(Fingerprint.BYTES));
      RecordKey key = new RecordKey(in.text(), in.text(), in.text());
      Optional<Accept> version =
          in.u8() == 1
              ? Optional.of(new Accept(new HybridTime(in.varint()), CausalCodec.readDot(in)))
              : Optional.empty();
      all.add(new Kept(request, key, version, JsonCodec.read(in)));
    }
    in.expectEnd();
    return all;
  }

  private static Json answer(Kept kept) {
    return kept.answer().isAbsent() ? elsewhere(kept.key()) : kept.answer();
  }

  private static Json elsewhere(RecordKey key) {
    return Json.of(Map.of("outcome", "applied", "recordId", key.id(), "type", key.type()));
  }

  private static Json answer(RecordKey key, Accepted accepted) {
    List<Json> resolutions = new ArrayList<>(accepted.resolutions().size());
    for (Resolution resolution : accepted.resolutions()) {
      resolutions.add(Json.of(Describe.resolution(resolution)));
    }
    JsonObject answer =
        new JsonObject(
            SortedArrayMap.ofSorted(
                List.of("context", "outcome", "recordId", "resolutions"),
                List.of(
                    Json.of(accepted.after().token()),
                    Json.of(accepted.kind().label()),
                    Json.of(key.id()),
                    new JsonArray(resolutions))));
    return accepted
        .conflictId()
        .map(conflict -> answer.with("conflictId", Json.of(conflict)))
        .orElse(answer);
  }
}
