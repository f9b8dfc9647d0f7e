// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.cluster.UnavailableException;
import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.proto.RaftProtos;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.protocol.exceptions.LeaderNotReadyException;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.ReconfigurationInProgressException;
import org.apache.ratis.protocol.exceptions.ReconfigurationTimeoutException;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.TimeDuration;
import org.jspecify.annotations.Nullable;

/**
 * Agreement by Raft, as Apache Ratis has it. A leader that does not hear from a majority steps down
 * after {@value #STEP_DOWN_MILLIS} ms; an election begins {@value #ELECTION_MIN_MILLIS} to {@value
 * #ELECTION_MAX_MILLIS} ms after the leader was last heard.
 *
 * <p>Source: Ongaro and Ousterhout, <i>In search of an understandable consensus algorithm</i>,
 * 2014.
 */
public final class RatisConsensus implements Consensus {
  private static final Logger LOG = System.getLogger(RatisConsensus.class.getName());

  /** Held here, or its level is forgotten; it tells of every setting and step. */
  private static final java.util.logging.Logger LIBRARY =
      java.util.logging.Logger.getLogger("org.apache.ratis");

  private static final int ELECTION_MIN_MILLIS = 800;
  private static final int ELECTION_MAX_MILLIS = 1_600;
  private static final int STEP_DOWN_MILLIS = 2_000;

  /**
   * How much is kept and waited for.
   *
   * @param snapshotEvery entries between two snapshots; what lies before the last is thrown away
   * @param letsInWithin how long a member that is let in may take to catch up
   */
  record Pace(long snapshotEvery, Duration letsInWithin) {
    static final Pace USUAL = new Pace(10_000, Duration.ofMinutes(1));
  }

  private static final RaftGroupId GROUP =
      RaftGroupId.valueOf(UUID.nameUUIDFromBytes("entente".getBytes(StandardCharsets.UTF_8)));

  private final RaftServer server;
  private final RatisLog log;
  private final RaftPeerId self;
  private final boolean encrypted;
  private final Membership membership;
  private final Pace pace;
  private final ClientId client = ClientId.randomId();
  private final AtomicLong calls = new AtomicLong();

  private RatisConsensus(
      RaftServer server,
      RatisLog log,
      RaftPeerId self,
      boolean encrypted,
      Membership membership,
      Pace pace) {
    this.encrypted = encrypted;
    this.membership = membership;
    this.pace = pace;
    this.server = server;
    this.log = log;
    this.self = self;
  }

  /**
   * Starts as a voter.
   *
   * @param log what entries are applied to
   * @param credentials what members prove to each other who they are with; without certificates
   *     they have to be on one machine
   * @param isVoter whether a node of this name is known to vote, beside those that {@code voters}
   *     and the group itself name
   * @throws IOException where the address cannot be listened on, or the directory not be used
   */
  public static RatisConsensus start(
      Voters voters, AgreedLog log, VoterCredentials credentials, Predicate<String> isVoter)
      throws IOException {
    return start(voters, log, credentials, isVoter, Pace.USUAL);
  }

  static RatisConsensus start(
      Voters voters,
      AgreedLog log,
      VoterCredentials credentials,
      Predicate<String> isVoter,
      Pace pace)
      throws IOException {
    requireUsable(voters, credentials.hasCertificate());
    Folders.create(voters.directory());
    LIBRARY.setLevel(java.util.logging.Level.WARNING);
    // Who belongs to no group yet takes no part in elections until the others let it in.
    List<RaftPeer> peers = voters.waiting() ? List.of() : peers(voters.addresses());
    RaftPeerId self = RaftPeerId.valueOf(voters.self());
    Membership membership = new Membership(voters.addresses().keySet(), isVoter);
    Parameters parameters = new Parameters();
    GrpcConfigKeys.TLS.setConf(
        parameters,
        new GrpcTlsConfig(credentials.keyManager(), credentials.trustManager(membership), true));
    GrpcConfigKeys.Server.setServicesCustomizer(parameters, new VoterPort());
    RatisLog applied = new RatisLog(log);
    RaftServer server =
        RaftServer.newBuilder()
            .setServerId(self)
            .setGroup(RaftGroup.valueOf(GROUP, peers))
            .setProperties(properties(voters, pace))
            .setParameters(parameters)
            .setOption(RaftStorage.StartupOption.RECOVER)
            .setStateMachine(applied)
            .build();
    try {
      server.start();
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
    RatisConsensus started =
        new RatisConsensus(server, applied, self, credentials.hasCertificate(), membership, pace);
    membership.of(started);
    return started;
  }

  /**
   * Who may connect: whom this node was told of, the group's members, and who is being let in or
   * known to vote otherwise. A member that was away may not know yet of those that came meanwhile,
   * so none of these does alone.
   */
  private static final class Membership implements Predicate<String> {
    private final Set<String> named = ConcurrentHashMap.newKeySet();
    private final Predicate<String> isVoter;
    private volatile @Nullable RatisConsensus group;

    Membership(Set<String> named, Predicate<String> isVoter) {
      this.named.addAll(named);
      this.isVoter = isVoter;
    }

    void of(RatisConsensus started) {
      group = started;
    }

    void add(Set<String> names) {
      named.addAll(names);
    }

    @Override
    public boolean test(String name) {
      RatisConsensus known = group;
      return named.contains(name)
          || (known != null && known.addresses().containsKey(name))
          || isVoter.test(name);
    }
  }

  private static List<RaftPeer> peers(Map<String, String> addresses) {
    List<RaftPeer> peers = new ArrayList<>();
    addresses.forEach((name, address) ->
        peers.add(RaftPeer.newBuilder().setId(name).setAddress(address).build()));
    return peers;
  }

  /**
   * Refuses settings with which a voter cannot start, whatever the others say.
   *
   * @throws IOException where the address cannot be listened on
   * @throws IllegalArgumentException where members could not trust each other
   */
  public static void requireUsable(Voters voters, boolean certified) throws IOException {
    Voters.requireEncrypted(voters.addresses(), certified);
    requireFree(voters);
  }

  /** Where the library cannot listen it ends the process, without a word. */
  private static void requireFree(Voters voters) throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(voters.host(), voters.port()));
    } catch (IOException e) {
      throw new IOException(
          "cannot listen on "
              + voters.host()
              + ":"
              + voters.port()
              + " for the other voters: "
              + e.getMessage()
              + "; --voters says where each listens",
          e);
    }
  }

  private static RaftProperties properties(Voters voters, Pace pace) {
    RaftProperties properties = new RaftProperties();
    RaftServerConfigKeys.setStorageDir(properties, List.of(voters.directory().toFile()));
    RaftServerConfigKeys.Rpc.setTimeoutMin(properties, millis(ELECTION_MIN_MILLIS));
    RaftServerConfigKeys.Rpc.setTimeoutMax(properties, millis(ELECTION_MAX_MILLIS));
    RaftServerConfigKeys.LeaderElection.setLeaderStepDownWaitTime(
        properties, millis(STEP_DOWN_MILLIS));
    RaftServerConfigKeys.Read.setOption(properties, RaftServerConfigKeys.Read.Option.LINEARIZABLE);
    RaftServerConfigKeys.Read.setTimeout(properties, millis(STEP_DOWN_MILLIS));
    RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(properties, true);
    RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(properties, pace.snapshotEvery());
    RaftServerConfigKeys.Snapshot.setRetentionFileNum(properties, 2);
    RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(properties, true);
    GrpcConfigKeys.Server.setHost(properties, voters.host());
    GrpcConfigKeys.Server.setPort(properties, voters.port());
    return properties;
  }

  private static TimeDuration millis(int millis) {
    return TimeDuration.valueOf(millis, TimeUnit.MILLISECONDS);
  }

  @Override
  public CompletableFuture<byte[]> propose(byte[] entry) {
    Standing now = standing();
    if (!now.leading()) {
      return CompletableFuture.failedFuture(new NotLeadingException(now.leader()));
    }
    return ask(RaftClientRequest.writeRequestType(), ByteString.copyFrom(entry));
  }

  @Override
  public CompletableFuture<Void> barrier() {
    return ask(RaftClientRequest.readRequestType(), ByteString.EMPTY).thenApply(_ -> null);
  }

  private CompletableFuture<byte[]> ask(RaftClientRequest.Type type, ByteString message) {
    RaftClientRequest request =
        RaftClientRequest.newBuilder()
            .setClientId(client)
            .setServerId(self)
            .setGroupId(GROUP)
            .setCallId(calls.incrementAndGet())
            .setMessage(Message.valueOf(message))
            .setType(type)
            .build();
    try {
      boolean write = type.is(RaftProtos.RaftClientRequestProto.TypeCase.WRITE);
      return server
          .submitClientRequestAsync(request)
          .thenCompose(reply ->
              reply.isSuccess()
                  ? CompletableFuture.completedFuture(reply.getMessage().getContent().toByteArray())
                  : CompletableFuture.failedFuture(problem(reply, write, standing().leader())));
    } catch (IOException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * Why something was not done, or may not have been. A leader that steps down answers what it has
   * in hand with {@link NotLeaderException} too, though the next one may go on with it: that an
   * entry was not taken is certain only of a leader that was not ready.
   */
  static Throwable problem(RaftClientReply reply, boolean write, Optional<String> leader) {
    boolean untouched =
        reply.getLeaderNotReadyException() != null
            || (!write && reply.getNotLeaderException() != null);
    return untouched ? new NotLeadingException(leader) : reply.getException();
  }

  @Override
  public CompletableFuture<Void> change(Map<String, String> voters) {
    Voters.requireEncrypted(voters, encrypted);
    membership.add(voters.keySet());
    try {
      SetConfigurationRequest.Arguments wanted =
          SetConfigurationRequest.Arguments.newBuilder()
              .setMode(SetConfigurationRequest.Mode.COMPARE_AND_SET)
              .setServersInCurrentConf(members())
              .setServersInNewConf(peers(voters))
              .build();
      return server
          .setConfigurationAsync(
              new SetConfigurationRequest(client, self, GROUP, calls.incrementAndGet(), wanted))
          .orTimeout(pace.letsInWithin().toMillis(), TimeUnit.MILLISECONDS)
          .whenComplete((_, why) -> {
            if (why instanceof TimeoutException) {
              stepDown();
            }
          })
          .exceptionallyCompose(why -> CompletableFuture.failedFuture(unchanged(why)))
          .thenCompose(reply ->
              reply.isSuccess()
                  ? CompletableFuture.completedFuture(null)
                  : CompletableFuture.failedFuture(unchanged(reply.getException())));
    } catch (IOException e) {
      return CompletableFuture.failedFuture(unchanged(e));
    }
  }

  /**
   * Has the members elect anew. A leader remembers how far it came with whom it lets in; one that
   * lost its disk meanwhile says that it has nothing, and is not believed, for ever. The next
   * leader asks.
   */
  private void stepDown() {
    LOG.log(Level.WARNING, "steps down: who was to be let in did not catch up in time");
    try {
      var _ =
          server.transferLeadershipAsync(
              new TransferLeadershipRequest(
                  client, self, GROUP, calls.incrementAndGet(), null, STEP_DOWN_MILLIS));
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "does not lead any more", e);
    }
  }

  private RuntimeException unchanged(Throwable thrown) {
    Throwable why =
        thrown instanceof CompletionException && thrown.getCause() != null
            ? thrown.getCause()
            : thrown;
    return switch (why) {
      case NotLeaderException _, LeaderNotReadyException _ ->
          new NotLeadingException(standing().leader());
      case ReconfigurationInProgressException _ ->
          new UnavailableException("the voters are being changed already; try again soon", why);
      case ReconfigurationTimeoutException _, TimeoutException _ ->
          new UnavailableException(
              "who was to be let in did not catch up in time: is it served with --voters that name"
                  + " it, and reached there? entente cluster says what it waits for",
              why);
      default ->
          new UnavailableException("the voters could not be changed: " + why.getMessage(), why);
    };
  }

  private List<RaftPeer> members() throws IOException {
    return List.copyOf(server.getDivision(GROUP).getRaftConf().getCurrentPeers());
  }

  @Override
  public Map<String, String> addresses() {
    Map<String, String> addresses = new TreeMap<>();
    try {
      members().forEach(peer -> addresses.put(peer.getId().toString(), peer.getAddress()));
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "the group is not running", e);
    }
    return addresses;
  }

  @Override
  public boolean isRunning() {
    try {
      return server.getDivision(GROUP).getInfo().isAlive();
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "the group is not running", e);
      return false;
    }
  }

  @Override
  public Standing standing() {
    try {
      RaftServer.Division division = server.getDivision(GROUP);
      DivisionInfo info = division.getInfo();
      List<String> voters = new ArrayList<>();
      division.getRaftConf().getAllPeers().forEach(peer -> voters.add(peer.getId().toString()));
      voters.sort(null);
      boolean leading =
          info.isAlive() && info.isLeader() && info.isLeaderReady() && hasBegun(division);
      return new Standing(
          Optional.ofNullable(info.getLeaderId()).map(RaftPeerId::toString),
          leading,
          info.getCurrentTerm(),
          voters);
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "the group is not running", e);
      return new Standing(Optional.empty(), false, 0, List.of());
    }
  }

  /**
   * Whether entries may be taken: before the first, every member has to have a log. The library
   * counts no vote of a member whose log is empty once there is something to lose, so a group that
   * began without one of them would outlive the loss of none of the others.
   */
  private boolean hasBegun(RaftServer.Division division) {
    if (log.hasApplied()) {
      return true;
    }
    long[] reached = division.getInfo().getFollowerMatchIndices();
    int others = division.getRaftConf().getCurrentPeers().size() - 1;
    return reached.length >= others && Arrays.stream(reached).allMatch(index -> index >= 0);
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "the group did not close cleanly", e);
    }
  }
}
