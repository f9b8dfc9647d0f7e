// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.exceptions.LeaderNotReadyException;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.RaftException;
import org.junit.jupiter.api.Test;

/** What the library's answers mean. */
class RatisConsensusTest {
  private static final RaftGroupMemberId MEMBER =
      RaftGroupMemberId.valueOf(RaftPeerId.valueOf("a"), RaftGroupId.randomId());

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
}
