// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.engine.AccessKeys;
import dev.entente.engine.Digest;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Outcome;
import dev.entente.engine.Shipment;
import dev.entente.engine.StampedPolicy;
import dev.entente.engine.VersionIndex;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A node that lies, among honest ones: they agree afterwards, nobody has gained a right, the lie is
 * told with the name of the liar, and everybody goes on.
 */
class LiesTest {
  static final long EPOCH = 1_763_802_000_000L;

  /** What carries nothing that others act on, and why no lie about it is played. */
  private static final Map<String, String> IDLE =
      Map.ofEntries(
          Map.entry("PullReply.shipment", "its parts are lied about"),
          Map.entry("PullReply.policies", "its parts are lied about"),
          Map.entry("Member.node", "a name is only a name; see Shipment.from"),
          Map.entry("Member.stampMillis", "the later of two tellings holds"),
          Map.entry("Member.departed", "it is shown; see PullReply.removals"),
          Map.entry(
              "Member.sinceMillis", "it is shown, and counts where sides of a split are told"),
          Map.entry("LinkReport.peer", "reports of links are shown"),
          Map.entry("LinkReport.behindMillis", "reports of links are shown"),
          Map.entry("LinkReport.roundTripMillis", "reports of links are shown"),
          Map.entry("LinkReport.clockOffsetMillis", "reports of links are shown"),
          Map.entry("StampedPolicy.node", "it breaks ties"),
          Map.entry("Version.time", "clients say it as well"),
          Map.entry("Version.note", "clients say it as well"),
          Map.entry("Version.clockErrorMillis", "it makes decisions by time less certain"),
          Map.entry("Version.origin", "two requests under one id open a review"));

  private final Map<String, Cluster> honest = new TreeMap<>();
  private final Liar liar = new Liar();
  private final Set<String> problems = new TreeSet<>();
  private final Set<String> apart = new TreeSet<>();
  private final Set<String> behind = new TreeSet<>();
  private long nowMillis;

  private void open(int nodes) {
    for (int i = 0; i < nodes; i++) {
      Node node =
          Node.open(
              new MemoryStore(),
              NodeConfig.DEFAULT
                  .withName("h" + i)
                  .withClock(() -> EPOCH + nowMillis)
                  .onCallersThread());
      node.demandProofs(AccessKeys.of("the administrator's token", Set.of()));
      List<String> seeds = i == 0 ? List.of(Liar.URL) : List.of("http://h0", Liar.URL);
      honest.put(
          "http://h" + i,
          new Cluster(
              node, ClusterConfig.of("http://h" + i, seeds).polling(10, 1 << 20), () -> nowMillis));
    }
  }

  @AfterEach
  void close() {
    honest.values().forEach(cluster -> cluster.node().close());
  }

  /** Everybody asks everybody, through the bytes that travel. */
  private void exchange(int rounds) {
    for (int round = 0; round < rounds; round++) {
      for (Cluster cluster : honest.values()) {
        for (Link link : cluster.links()) {
          PullRequest asked = link.request(cluster.members());
          nowMillis += 10;
          try {
            PullReply reply = Wire.reply(answer(cluster, link.url(), asked));
            nowMillis += 10;
            cluster.heard(asked, reply);
            link.replied(asked, reply, nowMillis);
          } catch (DamagedException e) {
            link.failed(String.valueOf(e.getMessage()), nowMillis);
          }
          if (link.url().equals(Liar.URL)) {
            note(cluster, link.status(nowMillis));
          }
        }
      }
    }
  }

  private byte[] answer(Cluster asking, String url, PullRequest asked) {
    if (url.equals(Liar.URL)) {
      return liar.answer(asked, EPOCH + nowMillis, Cluster.hash(asking.node().policies()));
    }
    Cluster other = honest.get(url);
    if (other == null) {
      throw new DamagedException("nobody is there");
    }
    return Wire.toBytes(other.answer(Wire.request(Wire.toBytes(asked)), other.node().nowMillis()));
  }

  private void note(Cluster cluster, LinkStatus status) {
    String name = cluster.node().id().name();
    if (!status.problem().isEmpty()) {
      problems.add(name);
    }
    if (status.clockIsBeyond(100)) {
      apart.add(name);
    }
    if (status.behind() > 0) {
      behind.add(name);
    }
  }

  private static Outcome put(Cluster cluster, RecordKey key, long value) {
    Edit edit = new Edit.Put(JsonObject.of("v", Json.of(value)));
    return cluster.node().write(WriteRequest.of(key, edit, new Seen.Everything(), "ann")).join();
  }

  /** How much a node has told of the liar. */
  private long told(Cluster cluster, Lie.Told how) {
    Node node = cluster.node();
    String name = node.id().name();
    return switch (how) {
      case FAULT ->
          node.peerFaults().bySender().stream()
              .filter(refused -> refused.from().node().equals("liar"))
              .mapToLong(refused -> refused.count())
              .sum();
      case ACCESS ->
          node.unprovenAccess().bySender().stream()
              .filter(refused -> refused.from().node().equals("liar"))
              .mapToLong(refused -> refused.count())
              .sum();
      case NAMED ->
          node.audit("main", Long.MAX_VALUE, 1_000).stream()
              .filter(entry -> entry.action().equals("violation"))
              .filter(entry -> entry.detail().toString().contains("liar (http://liar) sent"))
              .count();
      case LINK -> problems.contains(name) ? 1 : 0;
      case CLAIM ->
          node.audit("", Long.MAX_VALUE, 1_000).stream()
              .filter(entry -> entry.action().equals("numbers-left-out"))
              .filter(entry -> entry.detail().toString().contains("liar"))
              .count();
      case CLOCK -> apart.contains(name) ? 1 : 0;
      case LAG -> behind.contains(name) ? 1 : 0;
      case HELD -> node.held();
      case NOTHING -> 0;
    };
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5})
  void honestNodesAgreeAndGoOnAndTellTheLiar(int nodes) {
    open(nodes);
    exchange(6);
    long step = 0;
    for (Lie lie : Lie.values()) {
      Map<String, Long> before = new TreeMap<>();
      problems.clear();
      apart.clear();
      behind.clear();
      honest.forEach((url, cluster) -> before.put(url, told(cluster, lie.told)));
      lie.begin(liar);
      exchange(nodes > 3 ? 3 : 4);
      if (lie.told != Lie.Told.NOTHING) {
        honest.forEach((url, cluster) ->
            assertThat(told(cluster, lie.told))
                .as("%s is told by %s", lie, url)
                .isGreaterThan(before.get(url)));
      }
      liar.honest();
      for (Cluster cluster : honest.values()) {
        RecordKey key = new RecordKey("main", "note", "n" + ++step);
        assertThat(put(cluster, key, step))
            .as("%s goes on after %s", cluster.node().id(), lie)
            .isInstanceOf(Outcome.Accepted.class);
      }
      exchange(3);
      agree(lie, step);
      liar.honestDot =
          honest
              .get("http://h0")
              .node()
              .history(new RecordKey("main", "note", "n" + step), Long.MAX_VALUE, 1)
              .getFirst()
              .version()
              .dot();
    }
  }

  private void agree(Lie lie, long step) {
    Cluster first = honest.values().iterator().next();
    for (Cluster cluster : honest.values()) {
      Node node = cluster.node();
      assertThat(node.failure()).as("after %s", lie).isEmpty();
      assertThat(node.id().incarnation()).as("after %s", lie).isEqualTo(1);
      assertThat(node.digest().buckets())
          .as("%s and %s agree after %s", first.node().id(), node.id(), lie)
          .isEqualTo(first.node().digest().buckets());
      RecordKey last = new RecordKey("main", "note", "n" + step);
      assertThat(node.read(last).view().data().toString()).isEqualTo("{\"v\":" + step + "}");
      assertThat(StateCodec.toBytes(node.read(last).state()))
          .isEqualTo(StateCodec.toBytes(first.node().read(last).state()));
      for (RecordKey access :
          List.of(
              new RecordKey("_entente", "account", "mallory"),
              new RecordKey("_entente", "token", "t"),
              new RecordKey("_entente", "freeze", "f"),
              new RecordKey("_entente", "retention", "main"),
              new RecordKey("_entente", "review", "r"),
              new RecordKey("_entente", "knowledge", "h0.1"),
              new RecordKey("_entente", "webhook", "w"))) {
        assertThat(node.read(access).view().exists()).as("after %s", lie).isFalse();
      }
      assertThat(node.policies()).as("after %s", lie).isEmpty();
      assertThat(cluster.members().stream().filter(Member::departed)).as("after %s", lie).isEmpty();
      assertThat(cluster.members().stream().map(Member::url))
          .as("after %s", lie)
          .allMatch(url -> Member.problemWithUrl(url).isEmpty());
    }
  }

  @Test
  void allPartsOfTheProtocolAreLiedAbout() {
    Set<String> lies = new TreeSet<>(IDLE.keySet());
    for (Lie lie : Lie.values()) {
      lies.add(lie.about);
    }
    Set<String> parts = new TreeSet<>();
    for (Class<?> message :
        List.of(
            PullReply.class,
            Shipment.class,
            Member.class,
            LinkReport.class,
            StampedPolicy.class,
            Removal.class,
            Version.class)) {
      for (RecordComponent part : message.getRecordComponents()) {
        parts.add(message.getSimpleName() + '.' + part.getName());
      }
    }
    assertThat(lies).as("a new part of a message needs lies about it").isEqualTo(parts);
    assertThat(Lie.values()).hasSizeGreaterThanOrEqualTo(30);
  }

  /** Everything that reads bytes of another node, so that a new message is tried too. */
  private static List<Method> readers() {
    return Arrays.stream(Wire.class.getDeclaredMethods())
        .filter(method -> Modifier.isPublic(method.getModifiers()))
        .filter(method -> Arrays.equals(method.getParameterTypes(), new Class<?>[] {byte[].class}))
        .toList();
  }

  @Test
  void messagesThatAreNoneAreRefusedByEveryReader() {
    byte[] bomb = new ByteWriter().u8(1).u8(1).varint(1L << 40).raw(new byte[64]).toBytes();
    byte[] shorter = new ByteWriter().u8(1).u8(1).varint(1_000).raw(new byte[64]).toBytes();
    byte[] counts = new ByteWriter().u8(1).u8(0).varint(Integer.MAX_VALUE).toBytes();
    byte[] negative = new ByteWriter().u8(1).u8(0).varint(-1).varint(-1).toBytes();
    byte[] trailing = Arrays.copyOf(Wire.toBytes(VersionVector.EMPTY), 400);
    List<byte[]> lies =
        List.of(
            new byte[0],
            new byte[] {9, 0, 1},
            new byte[] {1},
            bomb,
            shorter,
            counts,
            negative,
            trailing,
            new byte[] {1, 0, (byte) 0xff, (byte) 0xff, (byte) 0xff});
    assertThat(readers()).hasSizeGreaterThanOrEqualTo(8);
    for (Method reader : readers()) {
      for (byte[] lie : lies) {
        assertThatThrownBy(
                () -> {
                  try {
                    reader.invoke(null, (Object) lie);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                })
            .as("%s of %s", reader.getName(), Arrays.toString(lie))
            .isInstanceOf(DamagedException.class);
      }
    }
  }

  @Test
  void questionsAreLimitedLikeReplies() {
    open(1);
    Cluster h = honest.get("http://h0");
    PullRequest lie =
        new PullRequest(
            Liar.ID,
            Optional.of(h.node().id()),
            Long.MAX_VALUE,
            VersionVector.of(new TreeMap<>(Map.of(new NodeId("h0.1"), Long.MAX_VALUE))),
            Integer.MAX_VALUE,
            Long.MAX_VALUE,
            0,
            List.of(Liar.self(), new Member(new NodeId("x.1"), "data:text/html,x", 1, false, 1)),
            true);
    PullReply reply = h.answer(Wire.request(Wire.toBytes(lie)), h.node().nowMillis());
    assertThat(reply.shipment().entries()).isEmpty();
    assertThat(told(h, Lie.Told.FAULT)).isPositive();
    assertThat(h.members()).noneMatch(member -> member.node().name().equals("x"));
    List<Member> many = new ArrayList<>();
    for (int i = 0; i < 1_001; i++) {
      many.add(new Member(new NodeId("m" + i), "http://m" + i, 1, false, 1));
    }
    PullRequest crowd =
        new PullRequest(Liar.ID, Optional.empty(), 0, VersionVector.EMPTY, 1, 0, 0, many, false);
    assertThatThrownBy(() -> Wire.request(Wire.toBytes(crowd)))
        .isInstanceOf(DamagedException.class);
    assertThat(put(h, new RecordKey("main", "note", "n"), 1)).isInstanceOf(Outcome.Accepted.class);
  }

  /** Answers questions of nodes with what is given for the beginning of the question. */
  private static Transport answering(Map<String, byte[]> answers) {
    return new Transport() {
      @Override
      public PullReply pull(String url, PullRequest request) throws IOException {
        throw new IOException("nobody is there");
      }

      @Override
      public byte[] get(String url, NodeId from, String question) throws IOException {
        return answers.entrySet().stream()
            .filter(answer -> question.startsWith(answer.getKey()))
            .map(Map.Entry::getValue)
            .findFirst()
            .orElseThrow(() -> new IOException("nothing is said of " + question));
      }

      @Override
      public byte[] post(
          String url, NodeId from, String what, byte[] body, Optional<String> credential)
          throws IOException {
        throw new IOException("nobody is there");
      }
    };
  }

  private static VersionVector vector(NodeId node, long number) {
    return VersionVector.of(new TreeMap<>(Map.of(node, number)));
  }

  @Test
  void liesAboutWhatIsComparedNameTheLiarAndChangeNothing() throws Exception {
    open(1);
    liar.sends(liar.version(v -> {}));
    exchange(3);
    Node node = honest.get("http://h0").node();
    List<Long> before = node.digest().buckets();
    byte[] much = Wire.toBytes(vector(Liar.ID, Long.MAX_VALUE));
    VersionIndex.Entries invented =
        new VersionIndex.Entries(0, List.of(new VersionIndex.Entry(1, 42, false)));
    Transport sums =
        answering(
            Map.of(
                "known", much,
                "sums", Wire.sumsToBytes(List.of(42L)),
                "hashes", Wire.toBytes(invented)));
    VersionComparison comparison = new VersionComparison(node);
    assertThat(comparison.compare(Liar.ID, new RemoteReplica(sums, Liar.URL, node.id())))
        .anySatisfy(mismatch -> assertThat(mismatch.peer()).isEqualTo(Liar.ID));
    Transport many =
        answering(Map.of("known", much, "sums", Wire.sumsToBytes(List.of(1L, 2L, 3L))));
    assertThatThrownBy(
            () -> comparison.compare(Liar.ID, new RemoteReplica(many, Liar.URL, node.id())))
        .isInstanceOf(IOException.class);

    RecordKey forged = new RecordKey("main", "note", "forged");
    List<Long> buckets = Collections.nCopies(Digest.BUCKETS, 42L);
    byte[] version =
        liar.version(
            v -> v.changes(List.of(new Change.Assign(Unit.ALIVE, Json.of(true), List.of()))));
    Transport digests =
        answering(
            Map.of(
                "digest",
                Wire.toBytes(new Digest(vector(Liar.ID, 1), buckets, 9)),
                "buckets",
                Wire.bucketToBytes(List.of(new Digest.Entry(forged, vector(Liar.ID, 1), 42))),
                "versions",
                Wire.versionsToBytes(List.of(version))));
    Agreement.of(node, new RemoteReplica(digests, Liar.URL, node.id()), true);
    assertThat(node.peerFaults().bySender())
        .anySatisfy(refused -> assertThat(refused.from().url()).isEqualTo(Liar.URL));
    assertThat(node.read(forged).view().exists()).isFalse();
    assertThat(node.digest().buckets()).isEqualTo(before);
  }
}
