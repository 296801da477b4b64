# Whether libvirt runs the hook of this package, edited or not.
hooks_of_this_package() {
  grep -qs /usr/libexec/virt-numa/qemu-hook /etc/libvirt/hooks/qemu /etc/libvirt/hooks/qemu.d/*
}
