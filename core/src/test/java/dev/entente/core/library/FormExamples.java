// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.codec.VersionJson;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Counter.Tally;
import dev.entente.core.crdt.Splice;
import dev.entente.core.crdt.SumHistory;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.Change;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Origin;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.core.text.TextDocument;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/** A state of every class that replicates, with all that its forms can hold. */
final class FormExamples {
  private static final Json TEA = Json.of("tea \ud83c\udf75");
  private static final Json MUG =
      Json.of(Map.of("n", new BigDecimal("-12.75"), "all", List.of(true, false, "", 0)));

  private FormExamples() {}

  static List<FormExample> all() {
    List<FormExample> all = new ArrayList<>();
    GCounter gCounter = new GCounter("b");
    GCounter gOther = new GCounter("a");
    gOther.increment(5);
    gCounter.increment(Long.MAX_VALUE);
    gCounter.merge(gOther);
    all.add(of("g-counter", gCounter, () -> new GCounter("r")));
    PNCounter pnCounter = new PNCounter("a");
    pnCounter.add(3);
    pnCounter.add(-1);
    all.add(of("pn-counter", pnCounter, () -> new PNCounter("r")));
    GSet gSet = new GSet("a");
    gSet.add(TEA);
    gSet.add(JsonNull.NULL);
    all.add(of("g-set", gSet, () -> new GSet("r")));
    ORSet orSet = new ORSet("a");
    ORSet orOther = new ORSet("b");
    orOther.add(TEA);
    orSet.add(TEA);
    orSet.add(MUG);
    orSet.remove(TEA);
    orSet.merge(orOther);
    all.add(of("or-set", orSet, () -> new ORSet("r")));
    RWSet rwSet = new RWSet("a");
    rwSet.add(TEA);
    rwSet.remove(TEA);
    rwSet.add(MUG);
    all.add(of("rw-set", rwSet, () -> new RWSet("r")));
    MVRegister mvRegister = new MVRegister("a");
    MVRegister mvOther = new MVRegister("b");
    mvOther.assign(JsonAbsent.ABSENT);
    mvRegister.assign(TEA);
    mvRegister.assign(MUG);
    mvRegister.merge(mvOther);
    all.add(of("mv-register", mvRegister, () -> new MVRegister("r")));
    LWWRegister lwwRegister = new LWWRegister("a", () -> 1_000);
    lwwRegister.assign(Json.of(2.5));
    all.add(of("lww-register", lwwRegister, () -> new LWWRegister("r", () -> 1_000)));
    all.add(record());
    all.add(text());
    int number = 1;
    for (Version version : versions()) {
      all.add(of("version-" + number++, version));
    }
    return all;
  }

  private static FormExample of(String name, Replicated<?> state, Supplier<Replicated<?>> empty) {
    return new FormExample(
        name,
        state.getClass(),
        state.toJson(),
        state.toBytes(),
        () -> {
          Replicated<?> receiver = empty.get();
          return new FormExample.Receiver(
              receiver::mergeBytes, receiver::mergeJson, receiver::toJson);
        });
  }

  static Replica record(String name) {
    return record(name, "r");
  }

  static Replica record(String name, String id) {
    Policy policy = Policy.builder("t").fallback("last-writer-wins").build();
    AtomicLong clock = new AtomicLong(1_000);
    return new Replica(name, new RecordKey("main", "t", id), policy, clock::incrementAndGet);
  }

  private static FormExample record() {
    Replica replica = record("a");
    Replica other = record("b");
    try {
      replica.put("ann", Map.of("x", 1, "list", List.of("tea", "mug")));
      other.join(replica);
      other.put("bob", Map.of("x", 2));
      replica.put("ann", Map.of("x", 3, "y", "z"));
      replica.join(other);
    } catch (EditProblem e) {
      throw new AssertionError(e);
    }
    return new FormExample(
        "record",
        Replica.class,
        replica.toJson(),
        replica.toBytes(),
        () -> {
          Replica receiver = record("r");
          return new FormExample.Receiver(
              receiver::mergeBytes, receiver::mergeJson, receiver::toJson);
        });
  }

  private static FormExample text() {
    TextDocument text = TextDocument.create("a");
    TextDocument other = TextDocument.create("b");
    text.insert(0, "tea \ud83c\udf75 and mugs");
    other.merge(text);
    other.insert(3, " time");
    text.delete(0, 3);
    text.insert(0, "hot");
    text.merge(other);
    return new FormExample(
        "text",
        TextDocument.class,
        text.toJson(),
        text.encode(),
        () -> {
          TextDocument receiver = TextDocument.create("r");
          return new FormExample.Receiver(receiver::merge, receiver::mergeJson, receiver::toJson);
        });
  }

  private static FormExample of(String name, Version version) {
    return new FormExample(
        name,
        Version.class,
        VersionJson.write(version),
        VersionCodec.toBytes(version),
        () -> {
          AtomicReference<Json> shown = new AtomicReference<>(JsonNull.NULL);
          return new FormExample.Receiver(
              bytes -> shown.set(VersionJson.write(VersionCodec.fromBytes(bytes))),
              json -> shown.set(VersionJson.write(VersionJson.read(json))),
              shown::get);
        });
  }

  /** One in each binary format, and in the first a change of each kind. */
  static List<Version> versions() {
    NodeId a = new NodeId("a.1");
    NodeId b = new NodeId("b");
    Dot seed = new Dot(b, 2);
    Path path = Path.of("box", "a/b");
    List<Change> changes =
        List.of(
            new Change.Assign(
                Unit.field(path),
                MUG,
                List.of(new Ancestor(List.of(seed), "bob", TEA), Ancestor.NOTHING)),
            new Change.Assign(Unit.group("g"), JsonAbsent.ABSENT, List.of()),
            new Change.Assign(Unit.ALIVE, Json.of(true), List.of()),
            new Change.Clear(),
            new Change.Remove(
                Path.of("n"), SortedArrayMap.of(a, new Tally(5, 2, SortedArrayMap.of(b, 1L)))),
            new Change.Restore(Path.of("")),
            new Change.Count(Path.of("n"), Long.MIN_VALUE),
            new Change.Give(Path.of("n"), b, Long.MAX_VALUE),
            new Change.EditSequence(
                Path.of("t"),
                List.of(new Splice(2, 1, Json.of("x")), new Splice(0, 0, TEA)),
                Optional.of(new Change.EditSequence.Seed(seed, Json.of("plain")))),
            new Change.EditSequence(
                Path.of("l"),
                List.of(new Splice(0, 1, new JsonArray(List.of(MUG)))),
                Optional.empty()),
            new Change.EditSet(Path.of("s"), List.of(TEA), List.of(MUG, JsonNull.NULL), false),
            new Change.EditSet(Path.of("s"), List.of(), List.of(TEA), true));
    CausalContext context =
        new CausalContext(
            VersionVector.of(Map.of(a, 6L, b, 2L)), new TreeSet<>(List.of(new Dot(b, 4))));
    Version plain =
        Version.builder(new Dot(a, 7), new RecordKey("main", "t\u00e9", "r/1"))
            .previous(5)
            .context(context)
            .acceptedAt(HybridTime.ofMillis(1_763_802_000_000L))
            .time(HybridTime.ofMillis(1_763_801_000_000L))
            .author("ann")
            .device(Optional.of("phone"))
            .note("moved")
            .changes(changes)
            .build();
    Version.Builder later =
        plain.toBuilder().changes(List.of(new Change.Clear())).device(Optional.empty());
    Change summed =
        new Change.Assign(
            Unit.field(Path.of("v")),
            Json.of(12),
            List.of(Ancestor.NOTHING),
            Optional.of(
                new SumHistory(
                    BigDecimal.TEN,
                    new TreeMap<>(Map.of(seed, new BigDecimal("-0.5"))),
                    List.of(new Dot(a, 3)))));
    Fingerprint sender = Fingerprint.of(new byte[32]);
    byte[] hash = new byte[32];
    hash[31] = -1;
    return List.of(
        plain,
        later.clockErrorMillis(250).build(),
        later
            .clockErrorMillis(0)
            .eventId(Optional.of("e-1"))
            .origin(Optional.of(new Origin(sender, Fingerprint.of(hash))))
            .build(),
        plain.toBuilder().changes(List.of(summed)).device(Optional.empty()).build());
  }

  /** The value with one part replaced, removed or put in another place. */
  static Json mutated(Json json, Random random) {
    return switch (json) {
      case JsonObject object when !object.isEmpty() && random.nextInt(8) > 0 -> {
        TreeMap<String, Json> members = new TreeMap<>();
        object.members().forEach(members::put);
        List<String> names = new ArrayList<>(members.keySet());
        String name = names.get(random.nextInt(names.size()));
        switch (random.nextInt(6)) {
          case 0 -> members.remove(name);
          case 1 -> members.put("other", members.get(name));
          default -> members.put(name, mutated(members.get(name), random));
        }
        yield JsonObject.of(members);
      }
      case JsonArray array when array.size() > 0 && random.nextInt(8) > 0 -> {
        List<Json> items = new ArrayList<>(array.items());
        int at = random.nextInt(items.size());
        switch (random.nextInt(5)) {
          case 0 -> items.remove(at);
          case 1 -> items.add(items.get(at));
          default -> items.set(at, mutated(items.get(at), random));
        }
        yield new JsonArray(items);
      }
      default ->
          List.of(
                  JsonNull.NULL,
                  Json.of(-1),
                  Json.of(Long.MAX_VALUE),
                  Json.of(new BigDecimal("1e300")),
                  Json.of("\u0000"),
                  Json.of("zz"),
                  JsonArray.EMPTY,
                  JsonObject.EMPTY)
              .get(random.nextInt(8));
    };
  }
}
