// SPDX-License-Identifier: MIT
//! A whole batch goes out as one block of memory: all structs, all pointers and the owner.
//!
//! The block counts its structs that are not yet released. A consumer may move children
//! out and release them separately, in any order, on any thread. The release of a parent
//! walks the children that are still in place, and subtracts all of them at once.

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use crate::abi::ArrowArray;
use crate::memory::exhausted;
use crate::own::OwnedArray;

/// A node of the tree. Its buffers are consecutive in `Exporter::buffers`.
#[derive(Clone, Copy, Debug)]
struct Node {
    length: i64,
    null_count: i64,
    offset: i64,
    first_buffer: u32,
    n_buffers: u32,
    n_children: u32,
    has_dictionary: bool,
}

/// Collects the nodes of a batch in preorder and makes one block of them.
///
/// It keeps its own memory for the next batch, so that a call allocates only the block.
#[derive(Debug, Default)]
pub struct Exporter {
    nodes: Vec<Node>,
    buffers: Vec<*const c_void>,
}

// SAFETY: the exporter never follows the pointers, and clears them before the next batch.
unsafe impl Send for Exporter {}

struct Block {
    live: AtomicUsize,
    layout: Layout,
    owner: *mut u8,
    drop_owner: unsafe fn(*mut u8),
}

impl Exporter {
    /// Begin a batch: forget the nodes of the batch before.
    #[inline]
    pub fn start(&mut self) {
        self.nodes.clear();
        self.buffers.clear();
    }

    /// Add the next node in preorder: a node, then its children, then its dictionary.
    #[inline]
    pub fn node(
        &mut self,
        length: usize,
        null_count: usize,
        offset: usize,
        n_children: usize,
        has_dictionary: bool,
    ) {
        self.nodes.push(Node {
            length: length as i64,
            null_count: null_count as i64,
            offset: offset as i64,
            first_buffer: self.buffers.len() as u32,
            n_buffers: 0,
            n_children: n_children as u32,
            has_dictionary,
        });
    }

    /// Add a buffer to the last node.
    ///
    /// # Panics
    ///
    /// No node was added yet.
    #[inline]
    pub fn buffer<T>(&mut self, start: *const T) {
        self.buffers.push(start.cast());
        self.nodes.last_mut().expect("a buffer belongs to a node").n_buffers += 1;
    }

    /// Make the block. It is one allocation; the last release drops `owner` and frees it.
    ///
    /// # Panics
    ///
    /// The nodes do not form exactly one tree.
    ///
    /// # Safety
    ///
    /// Every buffer must stay valid as long as `owner` lives, also when `owner` is moved.
    pub unsafe fn finish<T: Send + 'static>(&mut self, owner: T) -> OwnedArray {
        assert!(self.is_one_tree(), "the nodes do not form one tree");
        let below = self.nodes.len() - 1;
        let (layout, owner_at) = extend::<T>(Layout::new::<Block>(), 1);
        let (layout, structs_at) = extend::<ArrowArray>(layout, below);
        let (layout, children_at) = extend::<*mut ArrowArray>(layout, below);
        let (layout, buffers_at) = extend::<*const c_void>(layout, self.buffers.len());
        // SAFETY: the layout holds at least a Block, so it is not empty.
        let start = unsafe { alloc(layout) };
        if start.is_null() {
            exhausted();
        }
        // SAFETY: every place lies inside the layout that was computed for it.
        unsafe {
            start.add(owner_at).cast::<T>().write(owner);
            start.cast::<Block>().write(Block {
                live: AtomicUsize::new(self.nodes.len()),
                layout,
                owner: start.add(owner_at),
                drop_owner: |owner| ptr::drop_in_place(owner.cast::<T>()),
            });
            let buffers = start.add(buffers_at).cast::<*const c_void>();
            ptr::copy_nonoverlapping(self.buffers.as_ptr(), buffers, self.buffers.len());
            let mut filler = Filler {
                nodes: &self.nodes,
                next_node: 0,
                block: start.cast(),
                structs: start.add(structs_at).cast(),
                children: start.add(children_at).cast(),
                buffers,
            };
            let mut root = ArrowArray::released();
            filler.fill(&mut root);
            OwnedArray::take(&mut root)
        }
    }

    // Whether a place in the tree is open before each node, and none after the last.
    fn is_one_tree(&self) -> bool {
        let mut promised = 1u64;
        for node in &self.nodes {
            if promised == 0 {
                return false;
            }
            promised -= 1;
            promised += u64::from(node.n_children) + u64::from(node.has_dictionary);
        }
        promised == 0
    }
}

fn extend<T>(layout: Layout, count: usize) -> (Layout, usize) {
    let array = Layout::array::<T>(count).expect("a batch that fits the address space");
    layout.extend(array).expect("a batch that fits the address space")
}

struct Filler<'a> {
    nodes: &'a [Node],
    next_node: usize,
    block: *mut Block,
    structs: *mut ArrowArray,
    children: *mut *mut ArrowArray,
    buffers: *mut *const c_void,
}

impl Filler<'_> {
    // SAFETY (of the calls): the block has room for the structs, child pointers and
    // buffers of all nodes, and each is handed out once.
    unsafe fn fill(&mut self, place: *mut ArrowArray) {
        let node = self.nodes[self.next_node];
        self.next_node += 1;
        let n_children = node.n_children as usize;
        // SAFETY: see above.
        unsafe {
            let children = self.children;
            self.children = children.add(n_children);
            place.write(ArrowArray {
                length: node.length,
                null_count: node.null_count,
                offset: node.offset,
                n_buffers: i64::from(node.n_buffers),
                n_children: i64::from(node.n_children),
                buffers: self.buffers.add(node.first_buffer as usize),
                children: if n_children == 0 { ptr::null_mut() } else { children },
                dictionary: ptr::null_mut(),
                release: Some(release),
                private_data: self.block.cast(),
            });
            for index in 0..n_children {
                let child = self.next_struct();
                children.add(index).write(child);
                self.fill(child);
            }
            if node.has_dictionary {
                (*place).dictionary = self.next_struct();
                self.fill((*place).dictionary);
            }
        }
    }

    unsafe fn next_struct(&mut self) -> *mut ArrowArray {
        let place = self.structs;
        // SAFETY: see fill.
        self.structs = unsafe { place.add(1) };
        place
    }
}

unsafe extern "C" fn release(array: *mut ArrowArray) {
    // SAFETY: the caller owns the struct, and with it the whole tree below.
    unsafe {
        let block = (*array).private_data.cast::<Block>();
        let released = release_tree(array);
        if (*block).live.fetch_sub(released, Ordering::Release) == released {
            fence(Ordering::Acquire);
            let (layout, owner, drop_owner) =
                ((*block).layout, (*block).owner, (*block).drop_owner);
            // The drop of the owner runs foreign code, which must not unwind into C.
            let dropped = crate::edge::guard(|| {
                drop_owner(owner);
                Ok(())
            });
            drop(dropped);
            dealloc(block.cast(), layout);
        }
    }
}

// Mark the struct and the rest of its tree as released; return how many structs of this
// block these were.
unsafe fn release_tree(array: *mut ArrowArray) -> usize {
    let mut released = 1;
    // SAFETY: the pointers point into the block, which lives as long as one of its structs.
    unsafe {
        (*array).release = None;
        let block = (*array).private_data;
        for index in 0..(*array).n_children as usize {
            released += release_part(*(*array).children.add(index), block);
        }
        if !(*array).dictionary.is_null() {
            released += release_part((*array).dictionary, block);
        }
    }
    released
}

unsafe fn release_part(part: *mut ArrowArray, block: *mut c_void) -> usize {
    // SAFETY: as in release_tree. If a consumer has put a foreign struct in this place, its
    // own release is called, and it does not count here.
    unsafe {
        match (*part).release {
            None => 0,
            Some(_) if (*part).private_data == block => release_tree(part),
            Some(other) => {
                other(part);
                0
            }
        }
    }
}
