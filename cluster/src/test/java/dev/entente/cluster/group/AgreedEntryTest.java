// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.engine.Command;
import dev.entente.engine.Hashes;
import dev.entente.engine.Locks;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Outcome;
import dev.entente.engine.Proposal;
import dev.entente.engine.Review;
import dev.entente.engine.StampedPolicy;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.codec.LockCodec;
import dev.entente.engine.store.MemoryStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Malformed and forged entries change nothing on any voter, and the group goes on. */
class AgreedEntryTest {
  private static final NodeId ONE = new NodeId("one.1");
  private static final RecordKey SEAT = new RecordKey("main", "seat", "12a");

  @TempDir Path folder;

  private static byte[] versions(Node node, NodeId author, RecordKey key) {
    Edit edit = new Edit.Put(JsonObject.of("n", Json.of(1)));
    Command<Outcome> write =
        node.writing(WriteRequest.of(key, edit, new WriteRequest.Seen.Everything(), "ann"));
    return body(node.draft(author, 0, List.of(write)).join());
  }

  private static byte[] body(Proposal proposal) {
    return new ByteWriter().u8(AgreedEntry.VERSIONS).raw(proposal.toBytes()).toBytes();
  }

  private static byte[] entry(Proposal proposal) {
    return AgreedEntry.seal(ONE, body(proposal));
  }

  private static byte[] body(Locks.Command command) {
    ByteWriter out = new ByteWriter().u8(AgreedEntry.TIMED_LOCK);
    new LockTime("one", 1, 0).write(out);
    return out.raw(LockCodec.toBytes(command)).toBytes();
  }

  private static byte[] body(String tenant, String node, String text) {
    ByteWriter out = new ByteWriter().u8(AgreedEntry.POLICY).text("ann");
    new StampedPolicy(tenant, "seat", new HybridTime(1), new NodeId(node), text).write(out);
    return out.toBytes();
  }

  /** A sealed entry of a format level that this release may not know. */
  private static byte[] ofLevel(int level, byte[] content) {
    byte[] sealed = new ByteWriter().u8(AgreedEntry.SEALED).u8(level).raw(content).toBytes();
    byte[] sum = Arrays.copyOf(Hashes.of(sealed), AgreedEntry.CHECKSUM_BYTES);
    return new ByteWriter().raw(sealed).raw(sum).toBytes();
  }

  private static byte[] valid(Node node) {
    return AgreedEntry.seal(ONE, versions(node, Group.ID, SEAT));
  }

  /** Every truncation and extension of a valid entry, every kind with noise, and forgeries. */
  private static List<byte[]> malformed(Node node) {
    byte[] valid = versions(node, Group.ID, SEAT);
    byte[] lock = body(new Locks.Command.Tick());
    List<byte[]> all = new ArrayList<>();
    for (byte[] whole : List.of(valid, AgreedEntry.seal(ONE, valid), lock)) {
      for (int length = 0; length < whole.length; length++) {
        all.add(Arrays.copyOf(whole, length));
      }
      all.add(Arrays.copyOf(whole, whole.length + 1));
    }
    all.add(HexFormat.of().parseHex("01020304050607"));
    Random random = new Random(23);
    for (int kind = 0; kind < 256; kind++) {
      byte[] noise = new byte[1 + random.nextInt(60)];
      random.nextBytes(noise);
      noise[0] = (byte) kind;
      all.add(noise);
    }
    all.addAll(forged(node));
    Proposal honest = proposal(valid);
    all.add(entry(new Proposal(7, honest.versions(), List.of(), List.of())));
    all.add(entry(new Proposal(-1, List.of(), List.of(), List.of())));
    all.add(ofLevel(0, valid));
    return all;
  }

  private static Proposal proposal(byte[] body) {
    return Proposal.fromBytes(Arrays.copyOfRange(body, 1, body.length));
  }

  /** Intact entries that hold what their proposer, or the group, may not write. */
  private static List<byte[]> forged(Node node) {
    List<byte[]> bodies = new ArrayList<>();
    bodies.add(versions(node, new NodeId("mallory.1"), SEAT));
    bodies.add(versions(node, node.id(), SEAT));
    bodies.add(versions(node, Group.ID, new RecordKey("_entente", "account", "mallory")));
    bodies.addAll(forgedAnswers());
    for (String tenant : List.of("_entente", "..", "a\u0000b")) {
      Locks.Name name = new Locks.Name(tenant, "door");
      bodies.add(body(new Locks.Command.Acquire(name, "ann", 1_000, 0)));
      bodies.add(body(new Locks.Command.Renew(name, 1)));
      bodies.add(body(new Locks.Command.Release(name, "ann")));
    }
    Locks.Name door = new Locks.Name("main", "door");
    for (long lease : new long[] {0, -1, Long.MAX_VALUE, Locks.LEASE_MILLIS_MAX + 1}) {
      bodies.add(body(new Locks.Command.Acquire(door, "ann", lease, 0)));
    }
    bodies.add(body(new Locks.Command.Acquire(door, "ann", 1_000, Long.MIN_VALUE)));
    bodies.add(body(new Locks.Command.Acquire(door, "", 1_000, 0)));
    Locks.Name primary = new Locks.Name(Locks.CLUSTER, "primary");
    bodies.add(body(new Locks.Command.Acquire(primary, "no node", 1_000, 0)));
    bodies.add(body("_entente", "one.1", "type: seat\n"));
    bodies.add(body("main", "mallory.1", "type: seat\n"));
    return bodies.stream().map(body -> AgreedEntry.seal(ONE, body)).toList();
  }

  private static List<byte[]> forgedAnswers() {
    List<byte[]> bodies = new ArrayList<>();
    byte[] hash = new byte[32];
    byte[] key = Keys.with(Keys.of("main"), new ByteWriter().u8(1).raw(hash).toBytes());
    byte[] other = Keys.with(Keys.of("_entente"), new ByteWriter().u8(1).raw(hash).toBytes());
    for (byte[] at : List.of(new byte[0], key, other, Keys.of("main", "i17"), new byte[40])) {
      for (byte[] value : List.of(new byte[0], new byte[] {1}, new byte[] {1, 0}, hash)) {
        bodies.add(
            body(new Proposal(0, List.of(), List.of(new Proposal.Answer(at, value)), List.of())));
      }
    }
    return bodies;
  }

  @Test
  void malformedAndForgedEntriesAreQuarantinedAndTheGroupGoesOn() {
    try (Node one = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"));
        Node two = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("two"))) {
      Group left = new Group(one);
      Group right = new Group(two);
      List<byte[]> all = malformed(one);
      for (byte[] entry : all) {
        assertThatThrownBy(() -> left.check(entry))
            .as(HexFormat.of().formatHex(entry))
            .isInstanceOf(DamagedException.class);
        assertThat(left.apply(entry)).isEqualTo(right.apply(entry)).containsExactly(0);
      }
      assertThat(left.quarantined()).isEqualTo(right.quarantined()).isEqualTo(all.size());
      assertThat(left.snapshot()).isEqualTo(right.snapshot());
      byte[] valid = valid(one);
      assertThat(left.apply(valid)).isEqualTo(right.apply(valid)).containsExactly(1);
      assertThat(left.position()).isEqualTo(1);
    }
  }

  @Test
  void anEntryOfANodeThatDoesNotVoteIsQuarantinedAndThatOfAVoterWhoIsRemovedIsNot() {
    try (Node one = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"))) {
      Group group = new Group(one);
      byte[] valid = versions(one, Group.ID, SEAT);
      group.members(Set.of("one", "two", "three"));
      assertThat(group.apply(AgreedEntry.seal(new NodeId("mallory.1"), valid))).containsExactly(0);
      assertThatThrownBy(() -> group.check(AgreedEntry.seal(new NodeId("mallory.1"), valid)))
          .hasMessageContaining("mallory.1, which does not vote");
      assertThat(group.quarantined()).isEqualTo(1);
      group.members(Set.of("two", "three"));
      Group again = new Group(one);
      again.restore(group.snapshot());
      assertThat(again.quarantined()).as("counted before the restart").isEqualTo(1);
      assertThat(again.lastQuarantined()).isEqualTo(group.lastQuarantined());
      assertThat(again.hasQuarantined()).isFalse();
      assertThat(again.apply(AgreedEntry.seal(new NodeId("mallory.1"), valid))).containsExactly(0);
      assertThat(again.quarantined()).isEqualTo(2);
      assertThat(again.hasQuarantined()).isTrue();
      assertThat(again.apply(AgreedEntry.seal(ONE, valid))).containsExactly(1);
      group.members(Set.of("two", "three", "four"));
      assertThat(group.apply(AgreedEntry.seal(ONE, valid))).containsExactly(0);
    }
  }

  @Test
  void entriesOfFormerReleasesAreReadUntilOneSaysWhoProposedIt() {
    try (Node one = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"))) {
      Group group = new Group(one);
      byte[] former = versions(one, Group.ID, SEAT);
      assertThatThrownBy(() -> group.check(former)).hasMessageContaining("does not say who");
      assertThat(group.apply(former)).containsExactly(1);
      byte[] tick = body(new Locks.Command.Tick());
      assertThat(group.apply(tick)).isNotEqualTo(new byte[] {0});
      group.apply(AgreedEntry.seal(ONE, tick));
      Group again = new Group(one);
      again.restore(group.snapshot());
      assertThat(again.apply(tick)).containsExactly(0);
      assertThat(again.quarantined()).isEqualTo(1);
    }
  }

  @Test
  void anEntryOfALaterReleaseMakesAVoterStepBackAndNothingIsAppliedAfterIt() {
    try (Node one = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"))) {
      Group group = new Group(one);
      byte[] before = group.snapshot();
      byte[] later = ofLevel(AgreedEntry.LEVEL + 1, new byte[] {9, 9, 9});
      assertThatThrownBy(() -> group.apply(later))
          .isInstanceOf(AgreedLog.SteppedBackException.class);
      assertThat(group.steppedBack().orElseThrow()).contains("format level 2", "install");
      assertThatThrownBy(() -> group.apply(valid(one)))
          .isInstanceOf(AgreedLog.SteppedBackException.class);
      assertThat(group.snapshot()).isEqualTo(before);
      assertThatThrownBy(() -> new Group(one).check(later))
          .isInstanceOf(AgreedEntry.UnknownLevelException.class);
    }
  }

  @Test
  void aVoterThatStepsBackLeavesTheGroupAndNotTheProcess() throws Exception {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"))) {
      Group group = new Group(node);
      AgreedLog unchecked = new UncheckedLog(group);
      try (Consensus alone = start(unchecked)) {
        await(() -> alone.standing().leading());
        var _ = alone.propose(ofLevel(7, new byte[] {1}));
        await(() -> !alone.isRunning());
        assertThat(group.steppedBack().orElseThrow()).contains("format level 7");
        assertThat(node.failure()).isEmpty();
      }
    }
  }

  /** A log whose leader proposes what this release would refuse. */
  private record UncheckedLog(Group group) implements AgreedLog {
    @Override
    public byte[] apply(byte[] entry) {
      return group.apply(entry);
    }

    @Override
    public void members(Set<String> names) {
      group.members(names);
    }

    @Override
    public byte[] snapshot() {
      return group.snapshot();
    }

    @Override
    public void restore(byte[] snapshot) {
      group.restore(snapshot);
    }
  }

  @Test
  void aVersionThatItsRecordCannotTakeIsSetAsideByEveryVoterAndTheGroupGoesOn() throws Exception {
    try (Node one = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"));
        Node two = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("two"))) {
      String policy = "type: seat\nfields:\n  n: {cell: counter}\n";
      one.putPolicy("main", policy, "ann").join();
      two.putPolicy("main", policy, "ann").join();
      Version full = counts(one, Long.MAX_VALUE);
      Version more = following(full, 2, full.changes());
      Version next = following(full, 3, List.of());
      Group left = new Group(one);
      Group right = new Group(two);
      for (Version version : List.of(full, more, next)) {
        Proposal proposal =
            new Proposal(
                version.dot().number() - 1,
                List.of(VersionCodec.toBytes(version)),
                List.of(),
                List.of());
        assertThat(left.apply(entry(proposal)))
            .isEqualTo(right.apply(entry(proposal)))
            .containsExactly(1);
      }
      assertThat(left.position()).isEqualTo(right.position()).isEqualTo(3);
      assertThat(left.quarantined()).isEqualTo(right.quarantined()).isEqualTo(1);
      assertThat(left.lastQuarantined().orElseThrow()).contains("group.1:2");
      assertThat(left.snapshot()).isEqualTo(right.snapshot());
      assertThat(one.read(SEAT).state()).isEqualTo(two.read(SEAT).state());
      assertThat(one.countReviews("main", Review.Status.PENDING)).isEqualTo(1);
    }
  }

  private static Version counts(Node node, long by) {
    Edit edit = new Edit.Put(JsonObject.of("n", Json.of(by)));
    Command<Outcome> write =
        node.writing(WriteRequest.of(SEAT, edit, new WriteRequest.Seen.Everything(), "ann"));
    Proposal drafted = node.draft(Group.ID, 0, List.of(write)).join();
    return VersionCodec.fromBytes(drafted.versions().getFirst());
  }

  private static Version following(Version first, long number, List<Change> changes) {
    return new Version(
        new Dot(Group.ID, number),
        first.key(),
        1,
        first.context().with(List.of(first.dot())),
        first.acceptedAt(),
        first.time(),
        first.author(),
        first.device(),
        first.eventId(),
        first.note(),
        changes,
        first.clockErrorMillis(),
        first.origin(),
        first.proof());
  }

  @Test
  void anEntryThatWouldBeTooLargeIsRefusedAndTakesNoOtherWithIt() throws Exception {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"))) {
      Group group = new Group(node);
      try (Consensus alone = start(group)) {
        group.join(alone);
        await(() -> alone.standing().leading());
        List<CompletableFuture<Outcome>> answers = new ArrayList<>();
        for (int kib : new int[] {1, 5_000, 1}) {
          answers.add(group.submit(writing(node, kib)));
        }
        assertThatThrownBy(answers.get(1)::join)
            .hasCauseInstanceOf(EntryTooLargeException.class)
            .hasMessageContaining("split it into several writes");
        assertThat(answers.get(0).join()).isInstanceOf(Outcome.Accepted.class);
        assertThat(answers.get(2).join()).isInstanceOf(Outcome.Accepted.class);
        List<CompletableFuture<Outcome>> many = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
          many.add(group.submit(writing(node, 1_000)));
        }
        many.forEach(one -> assertThat(one.join()).isInstanceOf(Outcome.Accepted.class));
      }
    }
  }

  private static Command<Outcome> writing(Node node, int kib) {
    Edit edit = new Edit.Put(JsonObject.of("text", Json.of("x".repeat(kib << 10))));
    RecordKey key = new RecordKey("main", "seat", "of " + kib + " " + System.nanoTime());
    return node.writing(WriteRequest.of(key, edit, new WriteRequest.Seen.Everything(), "ann"));
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean() && System.nanoTime() < end) {
      Thread.sleep(20);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  @Test
  void aMalformedEntryIsRefusedBeforeItIsProposed() throws Exception {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"));
        Consensus alone = start(new Group(node))) {
      await(() -> alone.standing().leading());
      assertThatThrownBy(() -> alone.propose(new byte[] {1, 2, 3, 4, 5, 6, 7}).join())
          .hasMessageContaining("refused");
      assertThat(alone.propose(valid(node)).join()).containsExactly(1);
    }
  }

  /** What members would set aside when they apply it; the same rules as for versions of nodes. */
  @Test
  void aVersionThatNoNodeAcceptsIsRefusedBeforeItIsProposed() {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"))) {
      Group group = new Group(node);
      group.check(valid(node));
      byte[] honest = proposal(versions(node, Group.ID, SEAT)).versions().getFirst();
      Version version = VersionCodec.fromBytes(honest);
      List<Version> forged =
          List.of(
              version.toBuilder()
                  .changes(List.of(new Change.Assign(Unit.ALIVE, Json.of(true), List.of())))
                  .build(),
              version.toBuilder().author("a\nb").build(),
              version.toBuilder().device(Optional.of("\u202e")).build(),
              version.toBuilder().eventId(Optional.of("e".repeat(5_000))).build());
      for (Version each : forged) {
        byte[] entry =
            entry(new Proposal(0, List.of(VersionCodec.toBytes(each)), List.of(), List.of()));
        assertThatThrownBy(() -> group.check(entry))
            .as("%s", each)
            .isInstanceOf(DamagedException.class)
            .hasMessageContaining("no node accepts");
      }
    }
  }

  private Consensus start(AgreedLog log) throws Exception {
    Map<String, String> addresses = Map.of("one", "127.0.0.1:" + FreePort.find());
    return RatisConsensus.start(
        new Voters("one", addresses, folder),
        log,
        VoterCredentials.of("one", "a secret of the cluster", Optional.empty()),
        _ -> false);
  }
}
