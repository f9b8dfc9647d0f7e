// SPDX-License-Identifier: Apache-2.0
/**
 * Whole clusters in one thread: the real nodes and links on a {@link dev.entente.simulation.World}
 * whose time, chance, network and disks follow from one seed. {@link
 * dev.entente.simulation.Simulation} runs a seed with the faults that it draws, checks what must
 * hold, and says which command plays a failure again. Nothing in here may look at the real clock,
 * start a thread, or let iteration order of hashes into what happens.
 */
@NullMarked
package dev.entente.simulation;

import org.jspecify.annotations.NullMarked;
