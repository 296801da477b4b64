# Whether libvirt runs the hook of this package, edited or not.
hooks_of_this_package() {
  grep -qs /usr/libexec/virt-numa/qemu-hook /etc/libvirt/hooks/qemu /etc/libvirt/hooks/qemu.d/*
}

# After an upgrade from $1: writes an installed hook anew.
renew_hook() {
  hooks_of_this_package || return 0
  virt-numa install >/dev/null || echo "virt-numa: the hook is still that of $1; see virt-numa doctor" >&2
}

# A hook that cannot run refuses every migration and restore: it goes before its program does.
remove_hook() {
  if hooks_of_this_package; then virt-numa uninstall; fi
  hooks_of_this_package || return 0
  echo "virt-numa: a file in /etc/libvirt/hooks runs /usr/libexec/virt-numa/qemu-hook and was edited;" >&2
  echo "virt-numa: remove that file, then this package" >&2
  exit 1
}
