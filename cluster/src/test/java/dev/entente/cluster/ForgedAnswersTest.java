// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.group.SplitBrain;
import dev.entente.cluster.group.Voters;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.JsonCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Bootstrap;
import dev.entente.engine.Locks;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Outcome;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.LockCodec;
import dev.entente.engine.json.JsonProblem;
import dev.entente.engine.json.JsonReader;
import dev.entente.engine.store.MemoryStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every message that a node sends is answered by a node that lies, in dozens of ways: the answer is
 * refused or read as another, and the node that asked holds what it held and goes on. What is lied
 * about in intact messages stands in {@link Lie}.
 */
class ForgedAnswersTest {
  private static final String URL = "http://liar";
  private static final RecordKey KEY = new RecordKey("main", "note", "n");
  private static final NodeId LIAR = new NodeId("liar.1");

  private final Node node = open("h0");
  private final Node other = open("liar");
  private final Map<NodeMessage, Reading> readings = new EnumMap<>(NodeMessage.class);
  private long now;

  @TempDir private Path directory;

  private static Node open(String name) {
    return Node.open(
        new MemoryStore(),
        NodeConfig.DEFAULT.withName(name).withClock(() -> LiesTest.EPOCH).onCallersThread());
  }

  /**
   * How a node reads the answer to a message.
   *
   * @param honest an answer that no liar gave
   */
  @SuppressWarnings("ArrayRecordComponent")
  private record Reading(byte[] honest, Reader reader) {}

  @FunctionalInterface
  private interface Reader {
    void read(byte[] answer) throws Exception;
  }

  @FunctionalInterface
  private interface Asking {
    void ask(RemoteReplica liar) throws Exception;
  }

  private void asks(NodeMessage message, byte[] honest, Asking asking) {
    readings.put(
        message,
        new Reading(
            honest, answer -> asking.ask(new RemoteReplica(answering(answer), URL, node.id()))));
  }

  private static Transport answering(byte[] answer) {
    return new Transport() {
      @Override
      public PullReply pull(String url, PullRequest request) {
        return Wire.reply(answer);
      }

      @Override
      public byte[] get(String url, NodeId from, String question) {
        return answer;
      }

      @Override
      public byte[] post(
          String url, NodeId from, String what, byte[] body, Optional<String> credential) {
        return answer;
      }
    };
  }

  @BeforeEach
  void honestAnswers() throws IOException {
    put(node, KEY, "1");
    put(other, KEY, "2");
    asks(
        NodeMessage.READ,
        "{\"v\":\"2\"}".getBytes(StandardCharsets.UTF_8),
        liar -> JsonReader.strict().read(liar.read(KEY)));
    asks(NodeMessage.DIGEST, Wire.toBytes(other.digest()), RemoteReplica::digest);
    int bucket = bucketOf(other);
    asks(
        NodeMessage.BUCKET,
        Wire.bucketToBytes(other.digest(bucket, 10)),
        liar -> liar.bucket(bucket));
    asks(
        NodeMessage.VERSIONS,
        Wire.versionsToBytes(other.versions(KEY)),
        liar -> node.receive(liar.versions(KEY), liar.sender()).join());
    asks(NodeMessage.KNOWN, Wire.toBytes(other.known()), RemoteReplica::known);
    VersionSource source = VersionSource.of(other);
    try {
      asks(
          NodeMessage.SUMS,
          Wire.sumsToBytes(source.sums(LIAR, 0, 1)),
          liar -> liar.sums(LIAR, 0, 1));
      asks(
          NodeMessage.HASHES,
          Wire.toBytes(source.entries(LIAR, 0, 1)),
          liar -> liar.entries(LIAR, 0, 1));
      asks(
          NodeMessage.NUMBERS,
          Wire.versionsToBytes(source.versions(LIAR, 0, 1)),
          liar -> node.receive(liar.versions(LIAR, 0, 1), liar.sender()).join());
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    ByteArrayOutputStream copy = new ByteArrayOutputStream();
    other.copyTo(copy);
    readings.put(
        NodeMessage.COPY,
        new Reading(
            copy.toByteArray(),
            answer ->
                Bootstrap.read(
                    new ByteArrayInputStream(answer),
                    new MemoryStore(),
                    NodeConfig.DEFAULT.withName("h9"),
                    _ -> {})));
    readings.put(NodeMessage.POLLS, new Reading(Wire.pollsToBytes(List.of()), Wire::polls));
    Cluster cluster =
        new Cluster(node, ClusterConfig.of("http://h0", List.of(URL)).polling(10, 1), () -> now);
    pulls(cluster);
    Authority authority = new Authority(node);
    for (NodeMessage message :
        List.of(NodeMessage.LOCK, NodeMessage.SPLIT_BRAIN, NodeMessage.VOTERS)) {
      readings.put(message, new Reading(honest(message), answer -> atTheLeader(message, answer)));
    }
    Voters voters =
        Voters.of("h0", List.of("h0=127.0.0.1:1", "liar=127.0.0.1:2"), directory.resolve("votes"));
    readings.put(
        NodeMessage.SEAT,
        new Reading(
            "BEGIN".getBytes(StandardCharsets.US_ASCII),
            answer ->
                new Seats(node, cluster, answering(answer), authority, List.of("h0", "liar"))
                    .prepare(voters, false)));
  }

  @AfterEach
  void close() {
    node.close();
    other.close();
  }

  private static void put(Node at, RecordKey key, String value) {
    Edit edit = new Edit.Put(JsonObject.of("v", Json.of(value)));
    assertThat(at.write(WriteRequest.of(key, edit, new Seen.Everything(), "ann")).join())
        .isInstanceOf(Outcome.Accepted.class);
  }

  private static int bucketOf(Node at) {
    List<Long> buckets = at.digest().buckets();
    for (int i = 0; i < buckets.size(); i++) {
      if (buckets.get(i) != 0) {
        return i;
      }
    }
    throw new AssertionError();
  }

  /** As {@link ClusterRunner} does. */
  private void pulls(Cluster cluster) {
    Cluster theirs =
        new Cluster(other, ClusterConfig.of(URL, List.of()).polling(10, 1 << 20), () -> now);
    Link link = cluster.links().getFirst();
    PullRequest first = link.request(cluster.members());
    PullReply introduction = theirs.answer(first, LiesTest.EPOCH);
    cluster.heard(first, introduction);
    link.replied(first, introduction, now);
    readings.put(
        NodeMessage.PULL,
        new Reading(
            Wire.toBytes(theirs.answer(link.request(cluster.members()), LiesTest.EPOCH)),
            answer -> {
              now += 100;
              PullRequest asked = link.request(cluster.members());
              PullReply reply = Wire.reply(answer);
              cluster.heard(asked, reply);
              link.replied(asked, reply, now);
            }));
  }

  private static byte[] honest(NodeMessage message) {
    return switch (message) {
      case LOCK ->
          LockCodec.toBytes(new Locks.Answer.Granted(new Locks.Grant("ann", 7, 10_000, 1_000)));
      case SPLIT_BRAIN -> SplitBrain.of("static-quorum", 2).toBytes();
      default -> new ByteWriter().u8(0).varint(1).text("eu").text("10.0.0.1:7500").toBytes();
    };
  }

  private static void atTheLeader(NodeMessage message, byte[] answer) {
    CompletableFuture<?> asked =
        CompletableFuture.completedFuture(answer)
            .thenApply(bytes ->
                switch (message) {
                  case LOCK -> LockCodec.answer(bytes);
                  case SPLIT_BRAIN -> SplitBrain.fromBytes(bytes);
                  default -> Seats.told(bytes);
                });
    try {
      LeaderClient.readable(URL, asked).join();
    } catch (CompletionException e) {
      throw LeaderClient.unwrapped(e);
    }
  }

  private static List<byte[]> lies(byte[] honest) {
    List<byte[]> lies = new ArrayList<>();
    lies.add(new byte[0]);
    lies.add(new byte[1_000]);
    lies.add("[]".getBytes(StandardCharsets.US_ASCII));
    lies.add("[7,{\"id\":1}]".getBytes(StandardCharsets.US_ASCII));
    lies.add("[".repeat(20_000).getBytes(StandardCharsets.US_ASCII));
    lies.add(JsonCodec.toBytes(Json.of(List.of(7))));
    lies.add(JsonCodec.toBytes(Json.of(List.of(JsonObject.of("id", Json.of(7))))));
    lies.add(JsonCodec.toBytes(JsonObject.of("id", Json.of("a vote"))));
    lies.add(new ByteWriter().u8(1).u8(1).varint(1L << 40).raw(new byte[64]).toBytes());
    lies.add(new ByteWriter().u8(1).u8(0).varint(Integer.MAX_VALUE).toBytes());
    lies.add(new ByteWriter().u8(1).u8(0).varint(-1).varint(-1).toBytes());
    lies.add(Arrays.copyOf(honest, honest.length + 3));
    for (int i = 0; i < 8; i++) {
      lies.add(Arrays.copyOf(honest, honest.length * i / 8));
    }
    for (int i = 0; i < 40; i++) {
      byte[] flipped = honest.clone();
      flipped[i * honest.length / 40] ^= (byte) (1 << (i % 8));
      lies.add(flipped);
    }
    return lies;
  }

  @Test
  void everyMessageIsAnsweredByALiar() {
    assertThat(readings.keySet())
        .as("a new message needs a reading here")
        .containsExactly(NodeMessage.values());
    readings.forEach((message, reading) -> {
      assertThat(problem(reading, reading.honest())).as("%s, honest", message).isEmpty();
      int refused = 0;
      for (byte[] lie : lies(reading.honest())) {
        Optional<Exception> problem = problem(reading, lie);
        refused += problem.isPresent() ? 1 : 0;
        problem.ifPresent(why ->
            assertThat(why)
                .as("%s answered with %s", message, Arrays.toString(Arrays.copyOf(lie, 40)))
                .isInstanceOfAny(refusals(message))
                .satisfies(e -> assertThat(e.getMessage()).isNotBlank()));
      }
      assertThat(refused).as("%s", message).isGreaterThanOrEqualTo(10);
    });
    assertThat(node.failure()).isEmpty();
    assertThat(node.id()).isEqualTo(new NodeId("h0.1"));
    assertThat(node.policies()).isEmpty();
    put(node, new RecordKey("main", "note", "m"), "3");
  }

  /** Those for which the caller of each is prepared. */
  private static Class<?>[] refusals(NodeMessage message) {
    return switch (message) {
      case PULL, POLLS -> new Class<?>[] {DamagedException.class};
      case DIGEST, BUCKET, VERSIONS, KNOWN, SUMS, HASHES, NUMBERS, COPY ->
          new Class<?>[] {IOException.class};
      case READ -> new Class<?>[] {IOException.class, JsonProblem.class};
      case LOCK, SPLIT_BRAIN, SEAT -> new Class<?>[] {UnavailableException.class};
      // The second is what the leader says of a change that cannot be made.
      case VOTERS -> new Class<?>[] {UnavailableException.class, IllegalArgumentException.class};
    };
  }

  private static Optional<Exception> problem(Reading reading, byte[] answer) {
    try {
      reading.reader().read(answer);
      return Optional.empty();
    } catch (Exception e) {
      return Optional.of(e);
    }
  }
}
