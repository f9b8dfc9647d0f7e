// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class JobsTest {
  private static final Job.Order ORDER = new Job.Order("restore", "main", "note", "ann", false);

  private static void untilStopped(Job job) {
    while (!job.isStopping()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void workStopsOnceWhoBeganItMayNoMore() throws InterruptedException {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("n"));
        Jobs jobs = new Jobs(node)) {
      AtomicBoolean allowed = new AtomicBoolean(true);
      Job hers = jobs.begin(ORDER, allowed::get, JobsTest::untilStopped);
      Job anothers = jobs.begin(ORDER, () -> true, JobsTest::untilStopped);
      jobs.look();
      assertThat(hers.isStopping()).isFalse();
      allowed.set(false);
      jobs.look();
      while (hers.state() == Job.State.RUNNING) {
        Thread.sleep(1);
      }
      assertThat(hers.state()).isEqualTo(Job.State.STOPPED);
      assertThat(hers.toJson().toString()).contains("may not do so any more");
      assertThat(anothers.state()).isEqualTo(Job.State.RUNNING);
    }
  }
}
