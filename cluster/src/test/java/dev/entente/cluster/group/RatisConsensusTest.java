// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.cluster.UnavailableException;
import dev.entente.cluster.group.RatisConsensus.Pace;
import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.exceptions.LeaderNotReadyException;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.RaftException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the library's answers mean, when a group begins, and how members catch up. */
class RatisConsensusTest {
  private static final RaftGroupMemberId MEMBER =
      RaftGroupMemberId.valueOf(RaftPeerId.valueOf("a"), RaftGroupId.randomId());

  private static final byte[] ENTRY = {1, 2, 3};
  private static final byte[] LARGE_ENTRY = new byte[60_000];

  @TempDir Path folder;
  private final Map<String, String> addresses = new TreeMap<>();
  private final Map<String, Consensus> members = new TreeMap<>();
  private final Map<String, AtomicInteger> tallies = new TreeMap<>();
  private Pace pace = Pace.USUAL;

  @AfterEach
  void close() {
    members.values().forEach(Consensus::close);
  }

  private static Throwable problem(RaftException why, boolean write) {
    RaftClientReply reply =
        RaftClientReply.newBuilder()
            .setClientId(ClientId.randomId())
            .setServerId(MEMBER)
            .setCallId(1)
            .setException(why)
            .build();
    return RatisConsensus.problem(reply, write, Optional.of("b"));
  }

  /**
   * A leader of five that lost its majority told a client that nothing was written; the next leader
   * went on with the entry.
   */
  @Test
  void whatALeaderHadInHandWhenItSteppedDownMayYetBeAgreedOn() {
    NotLeaderException stepped = new NotLeaderException(MEMBER, null, List.of());
    assertThat(problem(stepped, true)).isNotInstanceOf(NotLeadingException.class);
    assertThat(problem(stepped, false))
        .as("a read changes nothing")
        .isInstanceOf(NotLeadingException.class);
    assertThat(problem(new LeaderNotReadyException(MEMBER), true))
        .isInstanceOf(NotLeadingException.class);
  }

  /** Counts what it is told, and answers with it. */
  private static final class Tally implements AgreedLog {
    private final AtomicInteger count = new AtomicInteger();

    @Override
    public byte[] apply(byte[] entry) {
      count.incrementAndGet();
      return entry;
    }

    @Override
    public byte[] snapshot() {
      return ByteBuffer.allocate(4).putInt(count.get()).array();
    }

    @Override
    public void restore(byte[] snapshot) {
      count.set(ByteBuffer.wrap(snapshot).getInt());
    }
  }

  private void address(String... names) throws IOException {
    for (String name : names) {
      addresses.put(name, "127.0.0.1:" + FreePort.find());
    }
  }

  private void start(String... names) throws IOException {
    for (String name : names) {
      start(new Voters(name, addresses, folder.resolve(name)));
    }
  }

  private void start(Voters voters) throws IOException {
    Tally tally = new Tally();
    tallies.put(voters.self(), tally.count);
    VoterCredentials credentials =
        VoterCredentials.of(voters.self(), "a secret of the cluster", Optional.empty());
    members.put(voters.self(), RatisConsensus.start(voters, tally, credentials, _ -> false, pace));
  }

  private void stop(String name) {
    Objects.requireNonNull(members.remove(name)).close();
  }

  private int count(String name) {
    return Objects.requireNonNull(tallies.get(name)).get();
  }

  /** The one that leads and takes entries. */
  private Consensus leading() throws InterruptedException {
    await(() -> members.values().stream().anyMatch(m -> m.standing().leading()));
    return members.values().stream().filter(m -> m.standing().leading()).findFirst().orElseThrow();
  }

  /** Has the group agree on so many entries. */
  private void propose(int count, byte[] entry) throws Exception {
    List<CompletableFuture<byte[]>> agreed = new ArrayList<>();
    Consensus leader = leading();
    for (int i = 0; i < count; i++) {
      agreed.add(leader.propose(entry));
      if (i % 100 == 99) {
        agreed.getLast().get(30, SECONDS);
      }
    }
    for (CompletableFuture<byte[]> each : agreed) {
      each.get(30, SECONDS);
    }
  }

  /** The one that leads as the others have it, whether it takes entries or not. */
  private Consensus leader() throws InterruptedException {
    await(() -> elected().isPresent());
    return members.get(elected().orElseThrow());
  }

  private Optional<String> elected() {
    List<Optional<String>> told =
        members.values().stream().map(m -> m.standing().leader()).distinct().toList();
    return told.size() == 1 ? told.getFirst().filter(members::containsKey) : Optional.empty();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(end);
      Thread.sleep(20);
    }
  }

  /**
   * A third member that began seconds after the others had no log yet when the first leader died;
   * the library did not count its vote, and the two that were left never elected anyone.
   */
  @Test
  void aGroupTakesNothingBeforeEveryMemberHasALogAndThenOutlivesAnyOne() throws Exception {
    address("a", "b", "c");
    start("a", "b");
    leader().barrier().get(30, SECONDS);
    assertThat(leader().standing().leading()).as("leads, and takes entries").isFalse();
    assertThatThrownBy(() -> leader().propose(ENTRY).join())
        .hasCauseInstanceOf(NotLeadingException.class);

    start("c");
    await(() -> members.values().stream().anyMatch(m -> m.standing().leading()));
    String first = elected().orElseThrow();
    assertThat(members.get(first).propose(ENTRY).get(30, SECONDS)).isEqualTo(ENTRY);
    members.remove(first).close();

    assertThat(leading().propose(ENTRY).get(30, SECONDS)).isEqualTo(ENTRY);
  }

  /** It stopped at the snapshot, and was never heard of again. */
  @Test
  void whoWasAwayForLongerThanTheLogReachesGoesOnFromASnapshot() throws Exception {
    pace = new Pace(50, Duration.ofMinutes(1));
    address("a", "b", "c");
    start("a", "b", "c");
    propose(30, ENTRY);
    stop("c");
    // More than one file of the log, which is thrown away as a whole.
    propose(1_000, LARGE_ENTRY);
    start("c");
    await(() -> count("c") == 1_030);
    propose(20, ENTRY);
    await(() -> count("c") == 1_050);
    assertThat(members.get("c").isRunning()).isTrue();
  }

  @Test
  void whoIsLetInLateBeginsWithASnapshot() throws Exception {
    pace = new Pace(50, Duration.ofMinutes(1));
    address("a", "b");
    start("a", "b");
    propose(200, ENTRY);
    address("c");
    start(new Voters("c", addresses, folder.resolve("c")).waits());
    leading().change(addresses).get(30, SECONDS);
    await(() -> count("c") == 200);
    stop("b");
    propose(20, ENTRY);
    await(() -> count("c") == 220);
  }

  /** The leader did not believe that it had nothing any more, and let nobody in for ever. */
  @Test
  void whoLosesItsDiskWhileItIsLetInHoldsTheOthersUpForAWhileOnly() throws Exception {
    pace = new Pace(100_000, Duration.ofSeconds(6));
    address("a", "b");
    start("a", "b");
    propose(2_500, LARGE_ENTRY);
    address("c");
    Voters newcomer = new Voters("c", addresses, folder.resolve("c")).waits();
    Map<String, String> before = new TreeMap<>(addresses);
    before.remove("c");
    int times = 0;
    while (isLetInBeforeItsDiskIsLost(newcomer)) {
      // It had caught up in the moment before it was stopped: once more, from the beginning.
      assertThat(times++).isLessThan(5);
      leading().change(before).get(30, SECONDS);
      stop("c");
      Folders.delete(newcomer.directory());
    }
    leading().change(addresses).get(30, SECONDS);
    await(() -> count("c") == 2_500);
  }

  /** Lets a member in and takes its disk away meanwhile; false where it was not let in then. */
  private boolean isLetInBeforeItsDiskIsLost(Voters newcomer) throws Exception {
    start(newcomer);
    CompletableFuture<Void> letIn = leading().change(addresses);
    await(() -> count("c") > 0 || letIn.isDone());
    stop("c");
    Folders.delete(newcomer.directory());
    start(newcomer);
    try {
      letIn.get(30, SECONDS);
      return true;
    } catch (ExecutionException e) {
      assertThat(e).hasCauseInstanceOf(UnavailableException.class);
      return false;
    }
  }
}
