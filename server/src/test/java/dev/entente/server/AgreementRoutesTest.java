// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.NodeMessage;
import dev.entente.cluster.Seats;
import dev.entente.cluster.group.FreePort;
import dev.entente.cluster.group.SplitBrain;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Locks;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.codec.LockCodec;
import dev.entente.engine.store.MemoryStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whichever node a client asks, types that must agree do; what cannot be promised is refused. */
class AgreementRoutesTest {
  private static final String SECRET = "a secret of the cluster";
  private static final List<String> NAMES = List.of("asia", "eu", "us");
  private static final String SEAT = "/v1/main/records/seat/12a";

  @TempDir Path folder;
  private final List<Served> served = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    List<String> voters = new ArrayList<>();
    for (String name : NAMES) {
      voters.add(name + "=127.0.0.1:" + FreePort.find());
    }
    for (String name : NAMES) {
      served.add(start(name, voters));
    }
    Served first = served.getFirst();
    for (String level : List.of("strong", "primary", "quorum")) {
      String type = level.equals("strong") ? "seat" : level;
      String policy = "type: " + type + "\nconsistency: " + level + "\n";
      assertThat(
              send(
                      first,
                      "PUT",
                      "/v1/main/policies/" + type,
                      policy,
                      "Content-Type",
                      "application/yaml")
                  .status())
          .isEqualTo(200);
    }
    Served.eventually(() ->
        served.stream()
            .allMatch(at -> at.node.policyTypes("main").size() == 3 && !leader(at).isEmpty()));
  }

  private Served start(String name, List<String> voters) throws Exception {
    Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name));
    List<String> seeds = served.stream().map(at -> "http://127.0.0.1:" + at.port()).toList();
    return new Served(
        node, Optional.of(new Peering("", seeds, SECRET).withVoters(voters, folder.resolve(name))));
  }

  @AfterEach
  void close() {
    served.forEach(Served::close);
  }

  private static Optional<String> stale(Served.Answer answer) {
    return answer.response().headers().firstValue(Steering.STALE);
  }

  private static Served.Answer send(
      Served at, String method, String path, String body, String... header) {
    Map<String, String> headers = header.length == 0 ? Map.of() : Map.of(header[0], header[1]);
    return at.send(method, path, body.getBytes(StandardCharsets.UTF_8), headers);
  }

  private static String leader(Served at) {
    JsonObject status = at.get("/v1/cluster").json();
    return status.get("group") instanceof JsonObject group
            && group.get("leader") instanceof dev.entente.core.json.JsonString(String name)
        ? name
        : "";
  }

  private Served named(String name) {
    return served.stream().filter(at -> at.node.id().name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void aStrongRecordIsOneRecordAtWhicheverNodeItIsAsked() throws Exception {
    int written = 0;
    for (int round = 0; round < 5; round++) {
      for (Served at : served) {
        String body = "{\"n\":" + ++written + "}";
        assertThat(at.json("PUT", SEAT, body).status()).isIn(200, 201);
        for (Served reader : served) {
          assertThat(reader.get(SEAT).body())
              .as("written at %s, read at %s", at.node.id(), reader.node.id())
              .contains("\"data\":" + body);
        }
      }
    }
  }

  @Test
  void theLastSeatIsSoldOnceThoughEverybodyAsksAtOnceAndEverywhere() throws Exception {
    List<Callable<Integer>> buyers = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      Served at = served.get(i % 3);
      String body = "{\"holder\":\"h" + i + "\"}";
      buyers.add(() -> at.json("PUT", SEAT, body, "If-None-Match", "*").status());
    }
    assertThat(atOnce(buyers).stream().filter(status -> status == 201)).hasSize(1);
  }

  private static List<Integer> atOnce(List<Callable<Integer>> calls)
      throws InterruptedException, ExecutionException {
    List<Integer> answers = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Integer> answer : threads.invokeAll(calls)) {
        answers.add(answer.get());
      }
    }
    return answers;
  }

  @Test
  void anOfflineDeviceMaySendToAnyNode() {
    Served other =
        served.stream()
            .filter(at -> !at.node.id().name().equals(leader(at)))
            .findFirst()
            .orElseThrow();
    String events =
        "{\"device\":\"d\",\"events\":["
            + "{\"id\":\"1\",\"type\":\"seat\",\"recordId\":\"1a\",\"op\":\"put\",\"data\":{\"n\":1}},"
            + "{\"id\":\"2\",\"type\":\"note\",\"recordId\":\"1a\",\"op\":\"put\",\"data\":{\"n\":2}},"
            + "{\"id\":\"3\",\"type\":\"seat\",\"recordId\":\"1a\",\"op\":\"nonsense\",\"data\":{}}]}";
    Served.Answer answer = other.json("POST", "/v1/main/sync", events);
    assertThat(answer.body()).contains("\"syncedEventIds\":[\"1\",\"2\"]");
    assertThat(other.get("/v1/main/records/seat/1a").body()).contains("\"n\":1");
    assertThat(other.json("POST", "/v1/main/sync", events).body())
        .as("sent again")
        .contains("\"outcome\":\"duplicate\"");
  }

  @Test
  void theSideWithoutAMajorityReadsWhatIsMarkedStaleAndWritesOnlyWhatMayDiverge() throws Exception {
    Served stays = served.getFirst();
    assertThat(stays.json("PUT", SEAT, "{\"n\":1}").status()).isEqualTo(201);
    Served.eventually(
        () -> stays.json("PUT", "/v1/main/records/primary/p", "{\"n\":1}").status() < 300);
    assertThat(stays.json("PUT", "/v1/main/records/quorum/q", "{\"n\":1}").status()).isEqualTo(201);
    assertThat(stale(stays.get(SEAT))).isEmpty();
    assertThat(stale(stays.get("/v1/main/records/quorum/q"))).isEmpty();
    for (Served at : List.copyOf(served)) {
      if (!at.equals(stays)) {
        served.remove(at);
        at.close();
      }
    }
    long began = System.nanoTime();
    for (String path : List.of(SEAT, "/v1/main/records/primary/p", "/v1/main/records/quorum/q")) {
      Served.eventually(() -> stays.json("PUT", path, "{\"n\":2}").status() == 503);
    }
    assertThat((System.nanoTime() - began) / 1_000_000_000L).as("seconds").isLessThan(30);
    Served.Answer read = stays.get(SEAT);
    assertThat(read.body()).contains("\"n\":1");
    assertThat(stale(read)).contains("true");
    Served.Answer none = stays.get("/v1/main/records/seat/none");
    assertThat(none.status()).isEqualTo(404);
    assertThat(stale(none)).as("that there is nothing may be out of date too").contains("true");
    assertThat(stays.json("PUT", "/v1/main/records/note/n", "{\"n\":2}").status()).isEqualTo(201);
    assertThat(stays.get("/v1/main/audit").body())
        .as("what was refused is kept")
        .contains("\"code\":\"unavailable\"");
    assertThat(stays.json("POST", "/v1/main/locks", "{\"lock\":\"disk\"}").status()).isEqualTo(503);
  }

  @Test
  void theVotersAgreeOnWhatASplitMeansAndOnPoliciesOfTypesThatMustAgree() throws Exception {
    Served stays = served.getFirst();
    String down = "{\"strategy\":\"down-all\"}";
    assertThat(stays.json("PUT", "/v1/cluster/split-brain", "{\"strategy\":\"x\"}").status())
        .isEqualTo(422);
    assertThat(
            stays
                .json(
                    "PUT",
                    "/v1/cluster/split-brain",
                    "{\"strategy\":\"static-quorum\",\"quorum\":1}")
                .body())
        .contains("at least 2 are needed");
    for (Served at : served) {
      assertThat(at.json("PUT", "/v1/cluster/split-brain", down).status()).isEqualTo(200);
    }
    Served.eventually(() ->
        served.stream().allMatch(at -> at.get("/v1/cluster").body().contains("\"down-all\"")));
    assertThat(stays.json("PUT", SEAT, "{\"n\":1}").status()).isEqualTo(201);
    Served gone = served.removeLast();
    gone.close();
    Served.eventually(() -> stays.json("PUT", SEAT, "{\"n\":2}").body().contains("by down-all"));
    assertThat(stale(stays.get(SEAT))).contains("true");
    assertThat(stays.json("PUT", "/v1/main/records/note/n", "{\"n\":2}").status()).isEqualTo(201);
    assertThat(stays.json("POST", "/v1/main/locks", "{\"lock\":\"disk\"}").status()).isEqualTo(503);
    Served.eventually(() ->
        stays.json("PUT", "/v1/cluster/split-brain", "{\"strategy\":\"keep-majority\"}").status()
            == 200);
    Served.eventually(() -> stays.json("PUT", SEAT, "{\"n\":2}").status() == 200);

    String strict = "type: seat\nconsistency: strong\ndefault: last-writer-wins\n";
    Served other = served.getLast();
    Served.eventually(() -> policy(other, "seat", strict) == 200);
    Served.eventually(() ->
        stays.get("/v1/main/policies/seat").body().contains("last-writer-wins")
            && other.get("/v1/main/policies/seat").body().contains("last-writer-wins"));
    served.remove(other);
    other.close();
    Served.eventually(() -> policy(stays, "seat", "type: seat\nconsistency: eventual\n") == 503);
    assertThat(policy(stays, "seat", strict)).as("no majority").isEqualTo(503);
    assertThat(policy(stays, "note", "type: note\nconsistency: causal\n")).isEqualTo(200);
    assertThat(policy(stays, "note", "type: note\nconsistency: strong\n")).isEqualTo(503);
  }

  private static int policy(Served at, String type, String text) {
    return send(at, "PUT", "/v1/main/policies/" + type, text, "Content-Type", "application/yaml")
        .status();
  }

  /** Which voter it asks first is chance; two of three do not lead. */
  @Test
  void aNodeThatDoesNotVoteTakesLocksAtWhoeverLeads() throws Exception {
    Served apart = start("apart", List.of());
    served.add(apart);
    Served.eventually(() ->
        apart.json("POST", "/v1/main/locks", "{\"lock\":\"first\",\"owner\":\"ann\"}").status()
            == 200);
    for (int i = 0; i < 20; i++) {
      String lock = "{\"lock\":\"l" + i + "\",\"owner\":\"ann\"}";
      Served.Answer taken = apart.json("POST", "/v1/main/locks", lock);
      assertThat(taken.status()).as(taken.body()).isEqualTo(200);
    }
    assertThat(apart.json("PUT", "/v1/cluster/split-brain", "{\"strategy\":\"lease\"}").status())
        .isEqualTo(200);
  }

  /** What nodes ask of the leader for clients is worth what the client's token is worth there. */
  @Test
  void theSecretOfNodesChangesNoLockNoVoterAndNoStrategy() {
    Served leads = named(leader(served.getFirst()));
    Served other = served.stream().filter(at -> !at.equals(leads)).findFirst().orElseThrow();
    assertThat(other.json("POST", "/v1/main/locks", "{\"lock\":\"l\",\"owner\":\"ann\"}").status())
        .as("a client's lock, through another node")
        .isEqualTo(200);
    String reader = leads.account("reader", "reader@*");
    String writer = leads.account("writer", "writer@main");
    Locks.Name lock = new Locks.Name("main", "l");
    Map<NodeMessage, List<byte[]>> questions =
        Map.of(
            NodeMessage.LOCK,
            List.of(
                LockCodec.toBytes(new Locks.Command.Release(lock, "ann")),
                LockCodec.toBytes(
                    new Locks.Command.Acquire(new Locks.Name("main", "m"), "eve", 9_000, 0)),
                LockCodec.toBytes(new Locks.Command.Renew(lock, 1)),
                LockCodec.toBytes(new Locks.Command.Tick()),
                LockCodec.toBytes(
                    new Locks.Command.Acquire(
                        new Locks.Name(Locks.CLUSTER, "primary"), "eu", 9_000, 0))),
            NodeMessage.SPLIT_BRAIN,
            List.of(SplitBrain.of("down-all", 0).toBytes()),
            NodeMessage.VOTERS,
            List.of(
                new Seats.Change("mallory", "127.0.0.1:1").toBytes(),
                new Seats.Change(NAMES.getFirst(), "").toBytes()));
    questions.forEach((message, bodies) -> {
      for (byte[] body : bodies) {
        for (String shown : List.of("", "Bearer " + SECRET, "Bearer guess", "Bearer " + reader)) {
          Served.Answer answer = leads.send("POST", message.path(), body, asNode(shown));
          assertThat(answer.status())
              .as("%s with '%s': %s", message, shown, answer.body())
              .isIn(401, 403, 422);
        }
        if (message != NodeMessage.LOCK) {
          assertThat(leads.send("POST", message.path(), body, asNode("Bearer " + writer)).status())
              .as("%s by a writer", message)
              .isEqualTo(403);
        }
      }
    });
    assertThat(leads.get("/v1/main/locks").body()).contains("\"ann\"").doesNotContain("eve");
    assertThat(leads.get("/v1/cluster").body())
        .contains("\"voters\":[\"asia\",\"eu\",\"us\"]")
        .doesNotContain("down-all");
    byte[] acquire =
        LockCodec.toBytes(
            new Locks.Command.Acquire(new Locks.Name("main", "w"), "writer", 9_000, 0));
    assertThat(
            leads
                .send("POST", NodeMessage.LOCK.path(), acquire, asNode("Bearer " + writer))
                .status())
        .as("with the token of who may")
        .isEqualTo(200);
    byte[] endless =
        LockCodec.toBytes(
            new Locks.Command.Acquire(new Locks.Name("main", "e"), "writer", Long.MAX_VALUE, 0));
    assertThat(
            leads
                .send("POST", NodeMessage.LOCK.path(), endless, asNode("Bearer " + writer))
                .status())
        .as("a lease that no client can have")
        .isEqualTo(400);
  }

  private static Map<String, String> asNode(String shown) {
    return Map.of(
        "Authorization",
        "Bearer " + SECRET,
        HttpTransport.NODE,
        "mallory.1",
        HttpTransport.RELAYED,
        shown);
  }

  @Test
  void aLockIsHeldByOneAndGoesToWhoWaitsLongestWithALargerToken() throws Exception {
    Served a = served.get(0);
    Served b = served.get(1);
    Served.Answer first = a.json("POST", "/v1/main/locks", "{\"lock\":\"disk\",\"owner\":\"ann\"}");
    assertThat(first.status()).as(first.body()).isEqualTo(200);
    assertThat(b.json("POST", "/v1/main/locks", "{\"lock\":\"disk\",\"owner\":\"ben\"}").body())
        .contains("held by ann");
    List<Integer> waited = new ArrayList<>();
    Thread waiter =
        Thread.ofVirtual()
            .start(() ->
                waited.add(
                    b.json(
                            "POST",
                            "/v1/main/locks",
                            "{\"lock\":\"disk\",\"owner\":\"ben\",\"wait\":\"30s\"}")
                        .status()));
    Served.eventually(() -> a.get("/v1/main/locks").body().contains("\"waiting\":[\"ben\"]"));
    assertThat(send(a, "DELETE", "/v1/main/locks/disk?owner=ann", "").status()).isEqualTo(200);
    waiter.join();
    assertThat(waited).containsExactly(200);
    long before = token(first.body());
    Served.eventually(() -> token(a.get("/v1/main/locks").body()) > before);
    long after = token(a.get("/v1/main/locks").body());
    assertThat(a.json("PUT", "/v1/main/locks/disk", "{\"token\":" + before + "}").status())
        .isEqualTo(412);
    assertThat(a.json("PUT", "/v1/main/locks/disk", "{\"token\":" + after + "}").status())
        .isEqualTo(200);
  }

  @Test
  void whoLostTheirLockWritesNothingUnderIt() throws Exception {
    Served a = served.get(0);
    Served b = served.get(1);
    long old = token(a.json("POST", "/v1/main/locks", "{\"lock\":\"x\",\"owner\":\"ann\"}").body());
    for (String type : List.of("seat", "quorum", "note")) {
      String path = "/v1/main/records/" + type + "/fenced";
      assertThat(b.json("PUT", path, "{\"n\":1}", "Entente-Fence", "x=" + old).status())
          .as(type)
          .isEqualTo(201);
    }
    assertThat(send(a, "DELETE", "/v1/main/locks/x?owner=ann", "").status()).isEqualTo(200);
    long now = token(b.json("POST", "/v1/main/locks", "{\"lock\":\"x\",\"owner\":\"ben\"}").body());
    for (String type : List.of("seat", "quorum", "note")) {
      String path = "/v1/main/records/" + type + "/fenced";
      for (Served at : served) {
        assertThat(at.json("PUT", path, "{\"n\":2}", "Entente-Fence", "x=" + old).body())
            .as(type + " at " + at.node.id())
            .contains("\"code\":\"stale\"", "not held under the token " + old);
        assertThat(at.json("PUT", path, "{\"n\":3}", "Entente-Fence", "x=" + now).status())
            .isEqualTo(200);
      }
      assertThat(a.get(path).body()).contains("\"data\":{\"n\":3}");
    }
    assertThat(a.json("PUT", SEAT, "{}", "Entente-Fence", "x").status()).isEqualTo(422);
    for (String type : List.of("seat", "note")) {
      String path = "/v1/main/records/" + type + "/decided";
      String seen = a.json("PUT", path, "{\"n\":0}").text("context");
      a.json("PUT", path, "{\"n\":1}", "Entente-Context", seen, "Entente-Author", "ann");
      Served.Answer second =
          a.json("PUT", path, "{\"n\":2}", "Entente-Context", seen, "Entente-Author", "ben");
      String decision = "/v1/main/reviews/" + second.text("conflictId") + "/decision";
      Served.eventually(
          () -> b.get(decision.replace("/decision", "")).body().contains("\"pending\""));
      for (Served at : served) {
        assertThat(at.json("POST", decision, "{\"choose\":1}", "Entente-Fence", "x=" + old).body())
            .contains("not held under the token " + old);
      }
      assertThat(b.json("POST", decision, "{\"choose\":1}", "Entente-Fence", "x=" + now).status())
          .as(type)
          .isEqualTo(200);
      Served.eventually(() -> a.get(path).body().contains("\"data\":{\"n\":2}"));
    }
  }

  @Test
  void writesOfABatchHoldTogetherOrNotAtAll() throws Exception {
    String both =
        "{\"writes\":["
            + "{\"type\":\"seat\",\"recordId\":\"1\",\"data\":{\"holder\":\"ann\"},\"ifNoneMatch\":\"*\"},"
            + "{\"type\":\"seat\",\"recordId\":\"2\",\"data\":{\"holder\":\"ann\"},\"ifNoneMatch\":\"*\"}]}";
    List<Callable<Integer>> buyers = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      Served at = served.get(i % 3);
      buyers.add(() -> at.json("POST", "/v1/main/batch", both).status());
    }
    List<Integer> sold = atOnce(buyers);
    assertThat(sold.stream().filter(status -> status == 200)).hasSize(1);
    assertThat(sold.stream().filter(status -> status == 412)).hasSize(11);
    String half = both.replace("\"recordId\":\"1\"", "\"recordId\":\"3\"");
    Served.Answer refused = served.getFirst().json("POST", "/v1/main/batch", half);
    assertThat(refused.body()).contains("\"write\":1", "\"code\":\"stale\"", "nothing was written");
    String notes = both.replace("\"seat\"", "\"note\"").replace(",\"ifNoneMatch\":\"*\"", "");
    Served.Answer first =
        served.getFirst().json("POST", "/v1/main/batch", notes, "Idempotency-Key", "k");
    assertThat(first.status()).as(first.body()).isEqualTo(200);
    assertThat(
            served.getFirst().json("POST", "/v1/main/batch", notes, "Idempotency-Key", "k").body())
        .contains("\"outcome\":\"duplicate\"");
    assertThat(
            served
                .getFirst()
                .json("POST", "/v1/main/batch", both.replaceFirst("seat", "note"))
                .body())
        .contains("accepted in one place");
    for (Served at : served) {
      assertThat(at.get("/v1/main/records/seat/3").status()).isEqualTo(404);
      assertThat(at.get("/v1/main/records/seat/2").body()).contains("ann");
    }
  }

  private static long token(String body) {
    Matcher token = Pattern.compile("\"token\":([0-9]+)").matcher(body);
    return token.find() ? Long.parseLong(token.group(1)) : 0;
  }

  @Test
  void onePrimaryAcceptsAndWhenItIsGoneAnotherDoes() throws Exception {
    String path = "/v1/main/records/primary/p";
    Served any = served.getFirst();
    Served.eventually(() -> any.json("PUT", path, "{\"n\":1}").status() < 300);
    String who = primary(any);
    for (Served at : served) {
      assertThat(at.json("PUT", path, "{\"n\":2}").status()).isEqualTo(200);
      assertThat(primary(at)).isEqualTo(who);
    }
    Served gone = named(who);
    served.remove(gone);
    gone.close();
    Served next = served.getFirst();
    Served.eventually(() -> next.json("PUT", path, "{\"n\":3}").status() < 300);
    assertThat(primary(next)).isNotEqualTo(who);
  }

  private static String primary(Served at) {
    String history = at.get("/v1/main/records/primary/p/history").body();
    String node = history.substring(history.indexOf("\"node\":\"") + 8);
    return node.substring(0, node.indexOf('.'));
  }
}
