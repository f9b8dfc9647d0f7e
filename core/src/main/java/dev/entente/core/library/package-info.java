// SPDX-License-Identifier: Apache-2.0
/**
 * The kernel for programs that embed it without a node: {@link dev.entente.core.library.Replica} is
 * a record under a policy, and the cells stand here under the names that the literature gives them:
 * {@link dev.entente.core.library.GCounter}, {@link dev.entente.core.library.PNCounter}, {@link
 * dev.entente.core.library.GSet}, {@link dev.entente.core.library.ORSet}, {@link
 * dev.entente.core.library.RWSet}, {@link dev.entente.core.library.MVRegister} and {@link
 * dev.entente.core.library.LWWRegister}. Texts are {@link dev.entente.core.text.TextDocument}.
 */
@NullMarked
package dev.entente.core.library;

import org.jspecify.annotations.NullMarked;
