// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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

/** What the library's answers mean, and when a group begins. */
class RatisConsensusTest {
  private static final RaftGroupMemberId MEMBER =
      RaftGroupMemberId.valueOf(RaftPeerId.valueOf("a"), RaftGroupId.randomId());

  private static final byte[] ENTRY = {1, 2, 3};

  @TempDir Path folder;
  private final Map<String, String> addresses = new TreeMap<>();
  private final Map<String, Consensus> members = new TreeMap<>();

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

  /** Forgets what it is told, and answers with it. */
  private static final class Echo implements AgreedLog {
    @Override
    public byte[] apply(byte[] entry) {
      return entry;
    }

    @Override
    public byte[] snapshot() {
      return new byte[0];
    }

    @Override
    public void restore(byte[] snapshot) {}
  }

  private void start(String name) throws IOException {
    members.put(
        name,
        RatisConsensus.start(
            new Voters(name, addresses, folder.resolve(name)), new Echo(), Optional.empty()));
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
    for (String name : List.of("a", "b", "c")) {
      addresses.put(name, "127.0.0.1:" + FreePort.find());
    }
    start("a");
    start("b");
    leader().barrier().get(30, SECONDS);
    assertThat(leader().standing().leading()).as("leads, and takes entries").isFalse();
    assertThatThrownBy(() -> leader().propose(ENTRY).join())
        .hasCauseInstanceOf(NotLeadingException.class);

    start("c");
    await(() -> members.values().stream().anyMatch(m -> m.standing().leading()));
    String first = elected().orElseThrow();
    assertThat(members.get(first).propose(ENTRY).get(30, SECONDS)).isEqualTo(ENTRY);
    members.remove(first).close();

    await(() -> members.values().stream().anyMatch(m -> m.standing().leading()));
    assertThat(leader().propose(ENTRY).get(30, SECONDS)).isEqualTo(ENTRY);
  }
}
