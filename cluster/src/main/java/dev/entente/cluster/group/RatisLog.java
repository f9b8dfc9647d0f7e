// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.engine.store.Folders;
import java.io.File;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.ratis.io.MD5Hash;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.exceptions.StateMachineException;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.MD5FileUtil;

/** Hands the entries that Ratis has agreed on to an {@link AgreedLog}, and keeps its snapshots. */
final class RatisLog extends BaseStateMachine {
  private static final Logger LOGGER = System.getLogger(RatisLog.class.getName());

  private final AgreedLog log;
  private final SimpleStateMachineStorage storage = new SimpleStateMachineStorage();
  private volatile boolean applied;

  RatisLog(AgreedLog log) {
    this.log = log;
  }

  @Override
  public void initialize(RaftServer server, RaftGroupId group, RaftStorage raftStorage)
      throws IOException {
    super.initialize(server, group, raftStorage);
    storage.init(raftStorage);
    reinitialize();
  }

  /** Nothing is applied until {@link #reinitialize}: a snapshot of the leader is put in place. */
  @Override
  public void pause() {
    getLifeCycle().transition(LifeCycle.State.PAUSING);
    getLifeCycle().transition(LifeCycle.State.PAUSED);
  }

  @Override
  public void reinitialize() throws IOException {
    getLifeCycle().startAndTransition(this::restore, IOException.class);
  }

  private void restore() throws IOException {
    SingleFileSnapshotInfo latest = storage.loadLatestSnapshot();
    if (latest != null) {
      log.restore(Files.readAllBytes(latest.getFile().getPath()));
      setLastAppliedTermIndex(latest.getTermIndex());
      applied = true;
    }
  }

  /** Whether anything that was agreed on has come here. */
  boolean hasApplied() {
    return applied;
  }

  @Override
  public StateMachineStorage getStateMachineStorage() {
    return storage;
  }

  /** Refuses what cannot be applied before it becomes part of the log. */
  @Override
  public TransactionContext startTransaction(RaftClientRequest request) throws IOException {
    TransactionContext transaction = super.startTransaction(request);
    try {
      log.check(request.getMessage().getContent().toByteArray());
    } catch (RuntimeException e) {
      transaction.setException(new StateMachineException("refused: " + e.getMessage(), e));
    }
    return transaction;
  }

  @Override
  public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
    LogEntryProto entry = transaction.getLogEntry();
    byte[] answer = log.apply(entry.getStateMachineLogEntry().getLogData().toByteArray());
    updateLastAppliedTermIndex(entry.getTerm(), entry.getIndex());
    applied = true;
    return CompletableFuture.completedFuture(Message.valueOf(ByteString.copyFrom(answer)));
  }

  /** Called between entries, in the order of the log. */
  @Override
  public void notifyConfigurationChanged(long term, long index, RaftConfigurationProto now) {
    Set<String> names = new TreeSet<>();
    Stream.of(now.getPeersList(), now.getOldPeersList())
        .flatMap(List::stream)
        .forEach(peer -> names.add(peer.getId().toStringUtf8()));
    log.members(names);
  }

  /** What is asked for here is only that all before it is applied. */
  @Override
  public CompletableFuture<Message> query(Message request) {
    return CompletableFuture.completedFuture(Message.EMPTY);
  }

  @Override
  public long takeSnapshot() throws IOException {
    TermIndex last = getLastAppliedTermIndex();
    File file = storage.getSnapshotFile(last.getTerm(), last.getIndex());
    Path unfinished = Path.of(file.getPath() + ".tmp");
    Files.write(unfinished, log.snapshot());
    Folders.publish(unfinished, file.toPath());
    MD5Hash hash = MD5FileUtil.computeAndSaveMd5ForFile(file);
    storage.updateLatestSnapshot(
        new SingleFileSnapshotInfo(new FileInfo(file.toPath(), hash), last));
    LOGGER.log(Level.DEBUG, "kept a snapshot at {0}", last);
    return last.getIndex();
  }
}
