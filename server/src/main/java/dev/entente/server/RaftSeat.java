// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Seats;
import dev.entente.cluster.group.Consensus;
import dev.entente.cluster.group.Group;
import dev.entente.cluster.group.RatisConsensus;
import dev.entente.cluster.group.VoterCredentials;
import dev.entente.cluster.group.Voters;
import dev.entente.engine.Node;
import java.io.IOException;
import java.util.Optional;

/** Votes by Raft, where a node has a seat. Used by one thread. */
final class RaftSeat implements Voting.Seat {
  private final Node node;
  private final Seats seats;
  private final Voters voters;
  private final VoterCredentials credentials;
  private Group group;

  RaftSeat(Node node, Seats seats, Voters voters, VoterCredentials credentials) {
    this.node = node;
    this.seats = seats;
    this.voters = voters;
    this.credentials = credentials;
    group = new Group(node);
  }

  @Override
  public Consensus start(boolean again) throws IOException, InterruptedException {
    RatisConsensus.requireUsable(voters, credentials.hasCertificate());
    Voters prepared = seats.prepare(voters, again);
    group = new Group(node);
    Consensus consensus = RatisConsensus.start(prepared, group, credentials, seats::isVoter);
    group.join(consensus);
    return consensus;
  }

  @Override
  public boolean isMember(Consensus consensus) {
    return consensus.standing().voters().contains(voters.self());
  }

  @Override
  public boolean stepsBack() {
    Optional<String> why = group.steppedBack();
    why.ifPresent(seats::stepsBack);
    return why.isPresent();
  }

  @Override
  public void takes() {
    seats.takes(group, voters);
  }

  @Override
  public void leaves() {
    seats.leaves(voters);
  }
}
